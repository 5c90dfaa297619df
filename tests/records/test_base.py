"""Content ids, and what every record refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.records import Turn, content_id

PARTS = st.lists(st.one_of(st.text(), st.integers(), st.none()), max_size=4)


@given(st.text(max_size=8), PARTS)
def test_a_content_id_depends_on_its_parts_alone(kind: str, parts: list[str | int | None]) -> None:
    assert content_id(kind, *parts) == content_id(kind, *parts)


@given(PARTS, PARTS)
def test_different_parts_have_different_ids(
    left: list[str | int | None], right: list[str | int | None]
) -> None:
    assert (content_id("row", *left) == content_id("row", *right)) == (left == right)


def test_parts_do_not_run_into_one_another() -> None:
    assert content_id("row", "ab", "c") != content_id("row", "a", "bc")


def test_a_content_id_is_the_same_on_every_machine() -> None:
    assert content_id("exchange", "sample", "naïve ☂", 3, None) == "exchange-6c6ee27cf7718f1f"


def test_half_a_character_has_an_id_too() -> None:
    assert content_id("row", "\ud83d").startswith("row-")


def test_a_record_does_not_change() -> None:
    turn = Turn(role="speaker", text="hello")

    with pytest.raises(ValidationError, match="frozen"):
        turn.text = "goodbye"


def test_a_record_refuses_an_unknown_field() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Turn.model_validate({"role": "speaker", "text": "hello", "mood": "glad"})


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_turn_refuses_blank_text(text: str) -> None:
    with pytest.raises(ValidationError, match="text"):
        Turn(role="speaker", text=text)
