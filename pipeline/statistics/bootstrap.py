"""Percentile intervals by a bootstrap that draws whole clusters: dialogues, items, groups.

A statistic is a function of sums over items, so that resampling is one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float]

RESAMPLES = 2000
LEVEL = 0.95
# Weights of at most so many resamples are held at once, to bound memory.
_AT_ONCE = 200


@dataclass(frozen=True)
class Statistic:
    """`rows` holds one contribution per item; `value` maps sums, shape (n, width), to n values.

    NaN where a statistic is undefined.
    """

    rows: Floats
    value: Callable[[Floats], Floats]

    def estimate(self) -> float | None:
        """Return the statistic over all items, None where it is undefined."""
        result = float(self.value(self.rows.sum(axis=0, keepdims=True))[0])
        return None if np.isnan(result) else result

    def by_cluster(self, clusters: Sequence[str]) -> Statistic:
        """Return the same statistic with one row per cluster; `clusters` names one per item."""
        _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
        summed = np.zeros((int(cluster.max(initial=-1)) + 1, self.rows.shape[1]))
        np.add.at(summed, cluster, self.rows)
        return Statistic(summed, self.value)


def mean_of(values: Sequence[float] | Floats) -> Statistic:
    """Return the mean as a statistic that can be bootstrapped."""
    rows = np.column_stack([np.asarray(values, dtype=np.float64), np.ones(len(values))])
    return Statistic(rows, lambda sums: np.asarray(sums[:, 0] / sums[:, 1]))


def interval(
    statistic: Statistic,
    *,
    seed: int,
    clusters: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Return the 95% interval, None if the statistic is undefined or items are fewer than two.

    `clusters` names one cluster per item; clusters are then drawn whole. Resamples in which the
    statistic is undefined are left out.
    """
    if clusters is not None:
        statistic = statistic.by_cluster(clusters)
    if len(statistic.rows) < 2 or statistic.estimate() is None:
        return None
    values = _resampled(statistic, np.random.default_rng(seed), resamples)
    values = values[~np.isnan(values)]
    return _ends(values) if len(values) > 1 else None


def difference_interval(
    left: Statistic, right: Statistic, *, seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """Return the 95% interval of `left` less `right`, each drawn from rows of its own.

    None if either has fewer than two rows: drawn from one row it would seem certain.
    """
    if min(len(left.rows), len(right.rows)) < 2:
        return None
    random = np.random.default_rng(seed)
    return _ends(_resampled(left, random, resamples) - _resampled(right, random, resamples))


def crossed_interval(
    values: Floats, clusters: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """Return the 95% interval of the mean of `values`, shape (runs, items).

    Runs and clusters of items are drawn with replacement, both at once. For a paired difference
    give the difference of two models' values: each draw then holds both models.
    """
    sums = np.stack([mean_of(run).by_cluster(clusters).rows for run in values])
    random = np.random.default_rng(seed)
    by_run, by_cluster = (_draw(random, count, resamples) for count in sums.shape[:2])
    totals = np.einsum("rs,sg,rg->r", by_run, sums[:, :, 0], by_cluster, optimize=True)
    return _ends(totals / (len(values) * (by_cluster @ sums[0, :, 1])))


def _draw(random: np.random.Generator, count: int, resamples: int) -> NDArray[np.int64]:
    """Return how often each of `count` rows is in each resample, shape (resamples, count)."""
    return random.multinomial(count, np.full(count, 1 / count), size=resamples)


def _resampled(statistic: Statistic, random: np.random.Generator, resamples: int) -> Floats:
    full, rest = divmod(resamples, _AT_ONCE)
    drawn = [
        statistic.value(_draw(random, len(statistic.rows), size) @ statistic.rows)
        for size in [*[_AT_ONCE] * full, *([rest] if rest else [])]
    ]
    return np.concatenate(drawn)


def _ends(values: Floats) -> Interval:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
