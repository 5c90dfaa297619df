"""Do people follow suggestions? Shown suggestions against ones that were withheld from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pipeline.annotation.rounds import comparable
from pipeline.records import Annotation
from pipeline.statistics.bootstrap import Statistic, difference_interval, mean_of


def anchoring(annotations: Sequence[Annotation], *, seed: int = 0) -> dict[str, Any]:
    """Return, per question, how often answers equal the suggestion where shown and where withheld.

    `effect` is the difference, 0 without anchoring; its interval is a 95% bootstrap that draws
    items within each share, None where a share has one item. A question without both shares is left
    out.
    """
    groups: defaultdict[str, defaultdict[bool, defaultdict[str, list[bool]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for row in annotations:
        if row.status == "submitted" and row.role == "annotator" and row.suggestion is not None:
            same = comparable(row.value) == comparable(row.suggestion)
            groups[row.question][bool(row.suggestion_shown)][row.item_id].append(same)
    return {
        question: _effect(shares[True], shares[False], seed)
        for question, shares in sorted(groups.items())
        if shares[True] and shares[False]
    }


def _effect(
    shown: dict[str, list[bool]], withheld: dict[str, list[bool]], seed: int
) -> dict[str, Any]:
    sides = [_share_of_items(shown), _share_of_items(withheld)]
    rates = [float(side.value(side.rows.sum(axis=0, keepdims=True))[0]) for side in sides]
    low, high = difference_interval(*sides, seed=seed) or (None, None)
    return {
        "shown": rates[0],
        "withheld": rates[1],
        "effect": rates[0] - rates[1],
        "low": low,
        "high": high,
        "items_shown": len(shown),
        "items_withheld": len(withheld),
    }


def _share_of_items(same: dict[str, list[bool]]) -> Statistic:
    items = [item for item, answers in same.items() for _ in answers]
    return mean_of([float(one) for answers in same.values() for one in answers]).by_cluster(items)
