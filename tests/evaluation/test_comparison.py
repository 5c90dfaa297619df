"""The comparison table: who meets whom, and one row per judge, test set and view."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.comparison import (
    Comparison,
    Meeting,
    Options,
    compare,
    corpus_of,
    meetings,
)
from pipeline.evaluation.contests import NULLS, Contest
from pipeline.evaluation.judges import Verdict, longer_judge
from tests.evaluation.contests import exchange, reply

EXCHANGES = [exchange(number) for number in range(6)]
BASE = {one.id: reply("base", "That is bad.", one) for one in EXCHANGES}
STUDENT = {
    one.id: reply("sft-direct", "That is bad and hard." if n else "That is sad.", one)
    for n, one in enumerate(EXCHANGES)
}
SPEC = ("model", "opponent", "corpus", "judge", "test_set", "length_matched", "win_rate", "ci", "n")


class Patient:
    """Prefers ours, and cannot read every third contest."""

    name = "patient"

    def judge(self, contests: Sequence[Contest]) -> list[Verdict]:
        return [
            Verdict(None, "schema") if n % 3 == 2 else Verdict(1.0, asked_twice=True)
            for n, _ in enumerate(contests)
        ]


def table(**test_sets: int) -> Comparison:
    return compare(
        [Meeting("sft-direct", "base", "direct")],
        {"sft-direct": STUDENT, "base": BASE},
        {name: EXCHANGES[:size] for name, size in test_sets.items()},
        [Patient()],
        Options(tolerance=0.2, seed=0, resamples=200),
        beside=[longer_judge()],
    )


def test_a_row_has_what_was_promised_in_that_order() -> None:
    row = table(random=6).rows[0].model_dump(mode="json")

    assert tuple(row)[: len(SPEC)] == SPEC
    assert (row["model"], row["opponent"], row["corpus"]) == ("sft-direct", "base", "direct")


def test_every_judge_and_test_set_has_a_row_for_all_and_for_equal_lengths() -> None:
    rows = table(papers=3, random=6).rows

    assert [(row.test_set, row.length_matched, row.n) for row in rows] == [
        ("papers", False, 2),
        ("papers", True, 1),
        ("random", False, 4),
        ("random", True, 1),
    ]


def test_what_could_not_be_read_is_reported_as_a_share() -> None:
    row = table(random=6).rows[0]

    assert (row.failed_share, row.win_rate, row.position_bias) == (0.3333, 1.0, 0.0)


def test_a_view_without_a_contest_has_no_rate() -> None:
    found = compare(
        [Meeting("sft-direct", "base")],
        {"sft-direct": STUDENT, "base": BASE},
        {"random": EXCHANGES[1:]},
        [longer_judge()],
        Options(tolerance=0.2, seed=0, resamples=200),
    )

    matched = found.rows[1]
    assert (matched.length_matched, matched.n, matched.win_rate, matched.ci) == (
        True,
        0,
        None,
        None,
    )
    assert found.rows[0].position_bias == "not applicable"


def test_two_judges_of_one_name_are_refused() -> None:
    with pytest.raises(EvaluationError, match="two judges are called words"):
        compare([], {}, {}, [longer_judge()], Options(0.2, 0), beside=[longer_judge()])


def test_judges_beside_have_no_row_and_are_agreed_with() -> None:
    found = table(random=6)

    assert {row.judge for row in found.rows} == {"patient"}
    assert [one.judges for one in found.agreements] == [("patient", "words")]


@pytest.mark.parametrize(
    ("model", "corpus"),
    [
        ("sft-human-naive", "human-naive"),
        ("dpo-direct", "direct"),
        ("base", None),
        ("listener_b", None),
        ("sft", None),
    ],
)
def test_a_students_name_says_what_it_was_trained_on(model: str, corpus: str | None) -> None:
    assert corpus_of(model) == corpus


def test_students_meet_base_their_first_step_and_the_outside() -> None:
    found = meetings(["base", "sft-direct", "dpo-direct"], ["listener_b"])

    assert [(one.model, one.opponent) for one in found] == [
        ("dpo-direct", "base"),
        ("sft-direct", "base"),
        ("dpo-direct", "sft-direct"),
        ("dpo-direct", "listener_b"),
        ("sft-direct", "listener_b"),
        ("listener_b", "base"),
        *((null, "base") for null in NULLS),
    ]


def test_without_a_base_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(EvaluationError, match=r"models sft-direct: no base.*\n.*generate@base"):
        meetings(["sft-direct"], [])
