from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.features.table import FeatureTable
from pipeline.scoring.features import combination

TABLE = FeatureTable(("r1",), ("text_words", "v2_warmth", "endpoint:m_0"), np.array([[1, 2, 3]]))


def test_families_are_joined_by_plus() -> None:
    assert combination(TABLE, "15V2+text").names == ("text_words", "v2_warmth")
    assert combination(TABLE, "endpoint:m").names == ("endpoint:m_0",)
    assert combination(TABLE, "none").names == ()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nonsense", r"no family 'nonsense'\nThere are: 15V1, .*endpoint:<model>"),
        ("text+15V1", r"the table has none of 15V1\nSet llm\.rater"),
        ("endpoint:other", r"the table has none of endpoint:other\nSet llm\.embedder to other"),
    ],
)
def test_a_family_that_is_not_there_is_an_error_that_says_how(name: str, problem: str) -> None:
    with pytest.raises(PipelineError, match=problem):
        combination(TABLE, name)
