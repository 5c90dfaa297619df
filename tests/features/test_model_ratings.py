from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.model_ratings import exclusion, rating_tables
from pipeline.features.subfactors import V2
from pipeline.llm.role import EMBEDDED_MODEL
from pipeline.records import ModelRating


def said(response: str, value: int, rater: str = "naive", **changes: str) -> ModelRating:
    values = {"response_id": response, "rater": rater, "model": "m", "aspect": "rating"}
    return ModelRating.model_validate({**values, "value": value, **changes})


def test_a_rater_who_tells_responses_apart_may_be_used() -> None:
    assert exclusion("m", [{"rating": 2}, {"rating": 3}]) is None


@pytest.mark.parametrize(
    ("model", "ratings", "reason"),
    [
        ("m", [{"rating": 2}] * 5, "says the same of all 5"),
        ("m", [], "rated no response"),
        (EMBEDDED_MODEL, [{"rating": 2}, {"rating": 3}], "mean nothing"),
    ],
)
def test_a_rater_who_measures_nothing_is_left_out_with_the_reason(
    model: str, ratings: list[dict[str, float]], reason: str
) -> None:
    assert reason in str(exclusion(model, ratings))


def test_ratings_become_features_and_excluded_ones_do_not() -> None:
    aspects = [said("r1", 7, "subfactors_v2", aspect=one.name) for one in V2]
    tables = rating_tables(
        [said("r1", 2), *aspects, said("r2", 3), said("r2", 1, "dimensions", excluded="constant")]
    )

    assert [table.names for table in tables] == [
        ("naive_rating",),
        tuple(f"v2_{one.name}" for one in V2),
    ]
    np.testing.assert_array_equal(tables[0].values, [[2], [3]])
    assert tables[1].ids == ("r1",)
