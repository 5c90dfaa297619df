"""Whether the students of the study reached what was aimed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WON, LOWER_LIMIT, CHANCE = 0.9, 0.8, 0.5
# The published claim is that supervised, then taught preferences wins 90% of comparisons with the
# base (Xie et al. 2025); an interval and contests of equal length are asked for on top of it.
TARGET = (
    f"dpo wins {WON:.0%} of contests with base, lower limit over {LOWER_LIMIT:.0%}, and over "
    f"{CHANCE:.0%} with sft, the interval too: by both judges, on both test sets, at equal length "
    "as well"
)


def student_target(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the aim, and for each contest of `evaluation.json` that it is about if it is met.

    A contest without a win rate or an interval does not meet it.
    """
    contests = [
        {
            **{key: row[key] for key in ("opponent", "judge", "test_set", "length_matched")},
            "reached": _reached(row, *bounds),
        }
        for row in rows
        for bounds in [{"base": (WON, LOWER_LIMIT), "sft": (CHANCE, CHANCE)}.get(row["opponent"])]
        if row["model"] == "dpo" and bounds is not None
    ]
    reached = bool(contests) and all(one["reached"] for one in contests)
    return {"target": TARGET, "reached": reached, "contests": contests}


def _reached(row: Mapping[str, Any], won: float, lower_limit: float) -> bool:
    if row["win_rate"] is None or row["ci"] is None:
        return False
    return bool(row["win_rate"] >= won and row["ci"][0] > lower_limit)
