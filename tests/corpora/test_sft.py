"""Supervised examples of the direct method."""

from __future__ import annotations

import pytest

from pipeline.corpora.candidates import Candidate
from pipeline.corpora.sft import direct_examples, reference_examples
from pipeline.records import Rejection, SFTExample
from tests.examples import LOST_JOB, PROMPT, candidate


def direct(of: Candidate, *teachers: str) -> list[SFTExample | Rejection]:
    return list(direct_examples(of, reference="human", teachers=teachers, prompt=PROMPT))


def test_two_good_responses_make_two_examples_with_one_prompt() -> None:
    one, two = direct(candidate({"human": 3, "bot": 3}), "bot")

    assert one.messages[:-1] == two.messages[:-1]
    assert [row.messages[-1].content for row in (one, two)] == [
        "This is what human has to say.",
        "This is what bot has to say.",
    ]


def test_the_reference_comes_back_for_each_teacher() -> None:
    rows = direct(candidate({"human": 3, "bot": 3, "elf": 3}), "bot", "elf")

    assert [row.response_id.rsplit("-", 1)[1] for row in rows] == ["human", "bot", "human", "elf"]


def test_ids_are_unique_where_the_reference_comes_back() -> None:
    rows = direct(candidate({"human": 3, "bot": 3, "elf": 3}), "bot", "elf")

    assert len({row.id for row in rows}) == 4


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        ({"human": 2, "bot": 3}, "reference_not_good"),
        ({"human": 3, "bot": 2}, "teacher_not_good"),
        ({"human": 1, "bot": 1}, "reference_not_good"),
        ({"human": None, "bot": 3}, "reference_not_rated"),
        ({"human": 3, "bot": None}, "teacher_not_rated"),
        ({"bot": 3}, "reference_not_rated"),
        ({"human": 3}, "teacher_not_rated"),
    ],
)
def test_anything_else_is_a_rejection_with_its_reason(
    ratings: dict[str, int | None], reason: str
) -> None:
    (row,) = direct(candidate(ratings), "bot")

    assert isinstance(row, Rejection)
    assert (row.reason, row.stage) == (reason, "build_sft")


def test_a_rejection_names_what_was_looked_at() -> None:
    (row,) = direct(candidate({"human": 2, "bot": 3}), "bot")

    assert row.parents == (LOST_JOB.id, "response-lost-job-human", "response-lost-job-bot")


def test_an_example_names_its_parents_licence_and_prompt() -> None:
    row = direct(candidate({"human": 3, "bot": 3}), "bot")[1]

    assert row.lineage.parents == (LOST_JOB.id, "response-lost-job-human", "response-lost-job-bot")
    assert (row.lineage.source, row.lineage.licence) == ("sample", "CC0-1.0")
    assert row.lineage.operation == "build_sft"
    assert row.lineage.prompt_id == PROMPT.prompt_id


@pytest.mark.parametrize("rating", [3, None])
def test_a_reference_that_nobody_found_wanting_is_an_example(rating: int | None) -> None:
    (row,) = reference_examples(candidate({"human": rating}), reference="human", prompt=PROMPT)

    assert row.messages[-1].content == "This is what human has to say."


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [({"human": 2}, "reference_not_good"), ({"bot": 3}, "no_reference_response")],
)
def test_a_reference_that_is_not_good_or_not_there_is_a_rejection(
    ratings: dict[str, int | None], reason: str
) -> None:
    (row,) = reference_examples(candidate(ratings), reference="human", prompt=PROMPT)

    assert row.reason == reason
