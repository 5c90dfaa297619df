"""Items as records of a server: what is proposed is shown, or withheld with the record."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.annotation.form import note, record
from pipeline.annotation.items import Item
from pipeline.errors import PipelineError
from pipeline.records import Suggestion

TEXT = "I am sorry. What happened?"


def suggestion(question: str, value: Any, agent: str, **more: Any) -> Suggestion:
    return Suggestion(item_id="r1", question=question, value=value, agent=agent, **more)


PROPOSED = (
    suggestion("empathy", 2, "scorer A+B", score=0.6, probabilities={"1": 0.1, "2": 0.6, "3": 0.3}),
    suggestion("empathy", 3, "rater"),
    suggestion("codes", ("Support",), "coder", sentence=0, score=0.9),
    suggestion("codes", ("Open Question",), "coder", sentence=1, score=0.7),
    suggestion("codes", ("Other",), "another coder", sentence=1),
    suggestion("codes", ("Other",), "coder", sentence=7, score=0.7),
)


def made(*suggestions: Suggestion, blind: bool = False) -> Any:
    fields = {"situation": "S", "chat": [], "response": TEXT}
    item = Item(id="r1", fields=fields, blind=blind, suggestions=suggestions)
    return record(item, assigned=["ann"], guidelines="1.0.0")


def shown(one: Any) -> dict[str, tuple[Any, Any, str]]:
    return {row.question_name: (row.value, row.score, row.agent) for row in one.suggestions}


def test_the_first_agents_proposal_is_shown_with_its_score() -> None:
    found = shown(made(*PROPOSED))

    assert found["empathy"] == (2, 0.6, "scorer A-B")  # a server refuses the plus sign
    assert found["codes"] == (
        [
            {"start": 0, "end": 11, "label": "Support"},
            {"start": 12, "end": 26, "label": "Open Question"},
        ],
        [0.9, 0.7],
        "coder",
    )


def test_a_blind_item_shows_nothing_and_keeps_what_would_have_been_shown() -> None:
    one = made(*PROPOSED, blind=True)

    assert shown(one) == {}
    kept = note({"metadata": dict(one.metadata)})
    assert kept is not None
    assert [(row["question"], row["value"], row["agent"]) for row in kept["withheld"]] == [
        ("empathy", 2, "scorer A+B"),
        ("codes", ["Support"], "coder"),
        ("codes", ["Open Question"], "coder"),
        ("codes", ["Other"], "coder"),
    ]
    assert not any("probabilities" in row for row in kept["withheld"])


def test_codes_without_a_score_are_shown_without_one() -> None:
    found = shown(made(suggestion("codes", ("Support",), "coder", sentence=0)))

    assert found["codes"][1] is None


def test_what_is_no_answer_is_not_proposed() -> None:
    with pytest.raises(PipelineError, match="question empathy: 7 is no answer to it"):
        made(suggestion("empathy", 7, "scorer"))


def test_a_record_that_lost_its_note_has_none() -> None:
    assert note({"metadata": None}) is None
    assert note({"metadata": {"assigned": ["ann"]}}) is None
