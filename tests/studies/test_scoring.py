"""What the study `scoring` tells apart: rare codes, and features that a language model rated."""

from __future__ import annotations

import pytest

from pipeline.features.coder import CodedSentence
from pipeline.records import BehaviourCode
from studies.scoring import is_llm_made
from studies.scoring.codes import MIN_ROWS, rare_codes

OPEN = BehaviourCode.OPEN_QUESTION


def test_a_code_of_few_sentences_is_rare() -> None:
    rows = [CodedSentence("What happened then?", OPEN, str(number)) for number in range(MIN_ROWS)]

    assert OPEN in rare_codes(rows[1:])
    assert OPEN not in rare_codes(rows)


@pytest.mark.parametrize(
    ("name", "made"), [("15V2+text", True), ("rated naive", True), ("text+MITI coded", False)]
)
def test_what_a_language_model_rated_is_known_as_such(name: str, made: bool) -> None:
    assert is_llm_made(name) == made
