"""Confidence intervals of shares and means, by a bootstrap that draws whole dialogues."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.annotation.bootstrap import interval
from pipeline.annotation.coefficients import Statistic
from pipeline.evaluation.classification import wilson
from pipeline.features.table import Array

RESAMPLES = 2000


def share_interval(
    values: Sequence[float], dialogues: Sequence[str], *, seed: int, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Return the 95% interval of the mean of `values` in 0..1, by percentile bootstrap.

    `dialogues` names each value's dialogue; dialogues are drawn whole. Where all values are equal a
    bootstrap sees no spread at all and would be sure of a handful; Wilson's interval over the
    number of dialogues stands there instead, and so it does for a single dialogue.
    """
    array = np.asarray(values, dtype=np.float64)
    count = len(set(dialogues))
    if count < 2 or np.ptp(array) == 0:
        low, high = wilson(float(array.mean()), count)
        return max(0.0, low), min(1.0, high)
    found = interval(mean_of(array), seed=seed, clusters=dialogues, resamples=resamples)
    assert found is not None  # two dialogues and a defined mean
    return found


def mean_of(values: Array) -> Statistic:
    """Return the mean as a statistic that can be bootstrapped."""
    rows = np.column_stack([values, np.ones(len(values))])
    return Statistic(rows, lambda sums: np.asarray(sums[:, 0] / sums[:, 1]))
