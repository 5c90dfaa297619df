"""Do people follow suggestions? Shown suggestions against ones that were withheld from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.annotation.bootstrap import RESAMPLES
from pipeline.records import Annotation, AnswerValue


def anchoring(annotations: Sequence[Annotation], *, seed: int = 0) -> dict[str, Any]:
    """Return, per question, how often answers equal the suggestion where shown and where withheld.

    `effect` is the difference, 0 without anchoring; its interval is a 95% bootstrap that draws
    items within each share. A question without both shares is left out.
    """
    groups: defaultdict[str, defaultdict[bool, defaultdict[str, list[bool]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for row in annotations:
        if row.status == "submitted" and row.role == "annotator" and row.suggestion is not None:
            same = _plain(row.value) == _plain(row.suggestion)
            groups[row.question][bool(row.suggestion_shown)][row.item_id].append(same)
    return {
        question: _effect(shares[True], shares[False], seed)
        for question, shares in sorted(groups.items())
        if shares[True] and shares[False]
    }


def _plain(value: AnswerValue | None) -> tuple[str, ...]:
    return tuple(sorted(value)) if isinstance(value, tuple) else (str(value),)


def _effect(
    shown: dict[str, list[bool]], withheld: dict[str, list[bool]], seed: int
) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    drawn, rates = [], []
    for share in (shown, withheld):
        table = np.array([[sum(same), len(same)] for same in share.values()], dtype=float)
        rates.append(float(table[:, 0].sum() / table[:, 1].sum()))
        even = np.full(len(table), 1 / len(table))
        sums = random.multinomial(len(table), even, size=RESAMPLES) @ table
        drawn.append(sums[:, 0] / sums[:, 1])
    low, high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
    return {
        "shown": rates[0],
        "withheld": rates[1],
        "effect": rates[0] - rates[1],
        "low": float(low),
        "high": float(high),
        "items_shown": len(shown),
        "items_withheld": len(withheld),
    }
