"""Strict against authors' pairs: which student prefers better on held-out strict pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import MissingFileError
from studies.student.judging import compare_filters, judge_students


def found(**gains: list[float]) -> dict[str, Any]:
    """Return log-probabilities in which a model's chosen sides gained so much over SFT's."""
    size = len(next(iter(gains.values())))
    sides = {"chosen": [-40.0] * size, "rejected": [-30.0] * size}
    logprobs = {"sft": sides}
    for name, gained in gains.items():
        logprobs[name] = {**sides, "chosen": [-40.0 + gain for gain in gained]}
    return {"kind": {"dialogues": [f"d{number}" for number in range(size)], "logprobs": logprobs}}


def test_each_student_has_an_accuracy_and_the_two_a_paired_difference() -> None:
    gains = {"dpo": [1.0, 1.0, 1.0, -1.0], "dpo-authors": [1.0, -1.0, -1.0, -1.0]}

    figures = compare_filters(found(**gains))["kind"]

    assert (figures["dpo"]["value"], figures["dpo-authors"]["value"]) == (0.75, 0.25)
    assert figures["strict less authors"]["value"] == 0.5


def test_a_student_alone_has_no_difference() -> None:
    assert set(compare_filters(found(dpo=[1.0, 1.0]))["kind"]) == {"dpo"}


def test_without_the_bases_replies_there_is_nothing_to_judge(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"base\.parquet"):
        judge_students(tmp_path, tmp_path)
