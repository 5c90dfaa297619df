"""Percentile confidence intervals by resampling items, or whole clusters of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.annotation.coefficients import Statistic

RESAMPLES = 2000
# Weights of at most so many resamples are held at once, to bound memory.
_AT_ONCE = 200


def interval(
    statistic: Statistic,
    *,
    seed: int,
    clusters: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Return the interval, or None where the statistic is undefined or items are fewer than two.

    `clusters` names one group per item; groups are then drawn whole, as sentences of one response
    must be. Resamples in which the coefficient is undefined are left out.
    """
    rows = statistic.rows
    if clusters is not None:
        _, group = np.unique(np.asarray(clusters), return_inverse=True)
        summed = np.zeros((int(group.max(initial=-1)) + 1, rows.shape[1]))
        np.add.at(summed, group, rows)
        rows = summed
    if len(rows) < 2 or statistic.estimate() is None:
        return None
    random = np.random.default_rng(seed)
    chance = np.full(len(rows), 1 / len(rows))
    drawn = [
        statistic.value(random.multinomial(len(rows), chance, size=size) @ rows)
        for size in _batches(resamples)
    ]
    values = np.concatenate(drawn)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _batches(resamples: int) -> list[int]:
    full, rest = divmod(resamples, _AT_ONCE)
    return [_AT_ONCE] * full + ([rest] if rest else [])
