"""Agreement of judges over win, tie and loss."""

from __future__ import annotations

import pytest

from pipeline.evaluation.judge_agreement import agreement
from pipeline.evaluation.judges import Verdict


def verdicts(*values: float | None) -> dict[str, Verdict]:
    return {f"c{number}": Verdict(value) for number, value in enumerate(values)}


DIALOGUES = {f"c{number}": f"d{number}" for number in range(8)}


def test_judges_that_say_the_same_agree_wholly() -> None:
    same = verdicts(1.0, 0.0, 0.5, 1.0)

    (found,) = agreement({"a": same, "b": same}, DIALOGUES, seed=0)

    assert (found.kappa, found.raw, found.n) == (1.0, 1.0, 4)


def test_kappa_is_the_one_worked_out_by_hand() -> None:
    # 6 of 8 equal; both say win in half: chance 1/2, kappa (3/4 - 1/2) / (1 - 1/2).
    left = verdicts(1, 1, 1, 1, 0, 0, 0, 0)
    right = verdicts(1, 1, 1, 0, 1, 0, 0, 0)

    (found,) = agreement({"a": left, "b": right}, DIALOGUES, seed=0)

    assert found.kappa == pytest.approx(0.5)
    assert found.raw == 0.75


def test_only_contests_with_both_verdicts_count() -> None:
    (found,) = agreement({"a": verdicts(1, None, 0), "b": verdicts(1, 1, None)}, DIALOGUES, seed=0)

    assert found.n == 1


def test_judges_without_a_shared_contest_have_no_agreement() -> None:
    (found,) = agreement({"a": verdicts(None), "b": verdicts(1)}, DIALOGUES, seed=0)

    assert (found.kappa, found.raw, found.n) == (None, None, 0)


def test_every_two_of_three_judges_are_compared() -> None:
    same = verdicts(1.0, 0.0)

    found = agreement({"a": same, "b": same, "c": same}, DIALOGUES, seed=0)

    assert [one.judges for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]
