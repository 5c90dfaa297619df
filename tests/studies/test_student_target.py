"""Whether the study's students reached what was aimed at is decided by the table alone."""

from __future__ import annotations

from typing import Any

import pytest

from studies.student.target import student_target


def row(opponent: str, win_rate: float | None, low: float, **other: Any) -> dict[str, Any]:
    found = {"model": "dpo", "judge": "judge 1", "test_set": "random", "length_matched": False}
    ci = None if win_rate is None else [low, 1.0]
    return {**found, "opponent": opponent, "win_rate": win_rate, "ci": ci, **other}


def test_the_aim_is_reached_when_every_contest_of_the_student_meets_it() -> None:
    rows = [row("base", 0.9, 0.81), row("sft", 0.51, 0.501), row("human", 0.1, 0.0)]

    found = student_target([*rows, row("base", 0.2, 0.1, model="sft")])

    assert found["reached"]
    assert [one["opponent"] for one in found["contests"]] == ["base", "sft"]


@pytest.mark.parametrize(
    "other",
    [row("base", 0.89, 0.81), row("base", 0.9, 0.8), row("sft", 0.6, 0.5), row("base", None, 0)],
)
def test_one_contest_that_misses_it_is_enough_to_miss_it(other: dict[str, Any]) -> None:
    assert not student_target([row("base", 0.95, 0.9), other])["reached"]


def test_without_contests_nothing_was_reached() -> None:
    assert not student_target([])["reached"]
