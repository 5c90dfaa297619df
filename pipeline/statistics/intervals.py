"""Intervals of shares, and of means over repeated splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from pipeline.errors import PipelineError
from pipeline.statistics.bootstrap import RESAMPLES, Interval, interval, mean_of


def share_interval(
    values: Sequence[float], dialogues: Sequence[str], *, seed: int, resamples: int = RESAMPLES
) -> Interval:
    """Return the 95% interval of the mean of `values` in 0..1, by percentile bootstrap.

    `dialogues` names each value's dialogue; dialogues are drawn whole. Where all values are equal a
    bootstrap sees no spread at all and would be sure of a handful; Wilson's interval over the
    number of dialogues stands there instead, and so it does for a single dialogue.
    """
    drawn = None
    if np.ptp(values):
        drawn = interval(mean_of(values), seed=seed, clusters=dialogues, resamples=resamples)
    return drawn or wilson(float(np.mean(values)), len(set(dialogues)))


def wilson(share: float, count: int) -> Interval:
    """Return Wilson's 95% interval of a share of `count` independent items."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(share * count, count, method="wilson")
    return float(low), float(high)


@dataclass(frozen=True)
class Estimate:
    """A mean over splits with its 95% interval."""

    mean: float
    ci: Interval
    splits: int

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON has it, rounded to five digits."""
        return {
            **asdict(self),
            "mean": round(self.mean, 5),
            "ci": [round(end, 5) for end in self.ci],
        }


def estimate(values: Sequence[float], *, test_over_train: float) -> Estimate:
    """Return mean and 95% interval of a measure, or of a difference, over random splits.

    Splits share items, so their spread alone understates the doubt: the variance is multiplied by
    1/n + test/train (Nadeau and Bengio 2003), with n - 1 degrees of freedom.
    """
    from scipy.stats import t

    count = len(values)
    if count < 2:
        raise PipelineError("an interval needs at least two splits")
    mean = float(np.mean(values))
    half = float(t.ppf(0.975, count - 1)) * _split_error(values, test_over_train)
    return Estimate(mean, (mean - half, mean + half), count)


def p_value(differences: Sequence[float], *, test_over_train: float) -> float:
    """Return the two-sided p of the corrected resampled t-test that the mean difference is 0."""
    from scipy.stats import t

    mean, error = float(np.mean(differences)), _split_error(differences, test_over_train)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * t.sf(abs(mean / error), len(differences) - 1))


def _split_error(values: Sequence[float], test_over_train: float) -> float:
    """Return the standard error of a mean over splits that share items."""
    return float(np.sqrt(np.var(values, ddof=1) * (1 / len(values) + test_over_train)))
