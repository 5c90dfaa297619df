"""Preference pairs under the paper's filter and under that of its code."""

from __future__ import annotations

import pytest

from pipeline.corpora.candidates import Candidate
from pipeline.corpora.preference import PairFilter, direct_pairs
from pipeline.records import PreferencePair, Rejection
from tests.examples import LOST_JOB, PROMPT, candidate, response


def direct(
    of: Candidate, *teachers: str, pair_filter: PairFilter = "strict"
) -> list[PreferencePair | Rejection]:
    return list(
        direct_pairs(
            of, reference="human", teachers=teachers, pair_filter=pair_filter, prompt=PROMPT
        )
    )


def test_the_teacher_is_chosen_and_the_reference_rejected() -> None:
    (pair,) = direct(candidate({"human": 1, "bot": 3}), "bot")

    assert pair.chosen[0].content == "This is what bot has to say."
    assert pair.rejected[0].content == "This is what human has to say."
    assert (pair.chosen_rating, pair.rejected_rating) == (3, 1)
    assert LOST_JOB.utterance in pair.prompt[0].content


@pytest.mark.parametrize(
    ("human", "bot", "strict", "authors"),
    [
        (1, 1, "tie", "teacher_not_good"),
        (1, 2, "teacher_not_good", "teacher_not_good"),
        (1, 3, None, None),
        (2, 1, "inverted", None),
        (2, 2, "tie", None),
        (2, 3, None, None),
        (3, 1, "reference_is_good", "reference_is_good"),
        (3, 2, "reference_is_good", "reference_is_good"),
        (3, 3, "reference_is_good", "reference_is_good"),
        (None, 3, "reference_not_rated", "reference_not_rated"),
        (1, None, "teacher_not_rated", "teacher_not_rated"),
    ],
)
def test_every_combination_of_ratings_has_one_outcome(
    human: int | None, bot: int | None, strict: str | None, authors: str | None
) -> None:
    of = candidate({"human": human, "bot": bot})
    outcomes: tuple[tuple[PairFilter, str | None], ...] = (("strict", strict), ("authors", authors))

    for pair_filter, reason in outcomes:
        (row,) = direct(of, "bot", pair_filter=pair_filter)
        assert (row.reason if isinstance(row, Rejection) else None) == reason


@pytest.mark.parametrize("pair_filter", ["strict", "authors"])
def test_identical_sides_make_no_pair(pair_filter: PairFilter) -> None:
    of = Candidate(
        LOST_JOB,
        {
            "human": response("human", 2, "I am sorry."),
            "bot": response("bot", 3, "I am sorry. "),
        },
    )

    (row,) = direct(of, "bot", pair_filter=pair_filter)

    assert (row.reason, row.stage) == ("identical_sides", f"build_preferences:{pair_filter}")


def test_there_is_one_outcome_per_teacher() -> None:
    rows = direct(candidate({"human": 1, "bot": 3, "elf": 1}), "bot", "elf", "gnome")

    assert [type(row) for row in rows] == [PreferencePair, Rejection, Rejection]


def test_a_rejection_says_who_was_rated_what() -> None:
    (row,) = direct(candidate({"human": 2, "bot": 1}), "bot")

    assert row.detail == "bot rated 1, human rated 2"


def test_both_filters_give_a_pair_the_same_id() -> None:
    of = candidate({"human": 1, "bot": 3})
    (strict,), (authors,) = direct(of, "bot"), direct(of, "bot", pair_filter="authors")

    assert strict == authors


def test_a_pair_names_its_parents_and_licence() -> None:
    (pair,) = direct(candidate({"human": 1, "bot": 3}), "bot")

    assert pair.lineage.parents == (LOST_JOB.id, pair.chosen_id, pair.rejected_id)
    assert pair.lineage.licence == "CC0-1.0"
    assert pair.lineage.operation == "build_preferences"
