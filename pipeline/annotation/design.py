"""How many labels a study needs before its agreement is known well enough."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np

from pipeline.errors import PipelineError
from pipeline.statistics.agreement import Counts, Scale, krippendorff_alpha

_SIMULATED_ITEMS = 20_000
_GROUPS = 500


@dataclass(frozen=True)
class Design:
    """`items` that all `raters` label, hence `labels`, for an interval of `width` around `alpha`.

    `total_items` are the items of a round in which only `overlap` of them are labelled by all.
    """

    raters: int
    alpha: float
    width: float
    level: float
    items: int
    labels: int
    overlap: float
    total_items: int


def design(
    *,
    raters: int,
    alpha: float,
    width: float,
    categories: int = 3,
    prevalence: tuple[float, ...] | None = None,
    scale: Scale = "nominal",
    overlap: float = 1.0,
    level: float = 0.95,
    seed: int = 0,
) -> Design:
    """Return the labels needed so that alpha's interval is `width` from end to end.

    Model: an item has a true category, drawn by `prevalence` (all alike without it). A rater sees
    it with probability sqrt(alpha) and otherwise guesses by the same prevalence, so that two raters
    agree beyond chance with probability alpha. The spread of alpha over groups of simulated items
    gives that of one item; it shrinks with the square root of their number.
    """
    _check(raters, alpha, width, categories, prevalence, overlap, level)
    random = np.random.default_rng(seed)
    shares = np.array(prevalence) if prevalence else np.full(categories, 1 / categories)
    codes = simulate(random, _SIMULATED_ITEMS, raters, alpha, shares)
    statistic = krippendorff_alpha(codes, np.arange(len(shares), dtype=float), scale)
    sums = statistic.rows.reshape(_GROUPS, -1, statistic.rows.shape[1]).sum(axis=1)
    # Leaving one group out at a time moves alpha little: a jackknife of the spread.
    left_out = statistic.value(sums.sum(axis=0, keepdims=True) - sums)
    variance = (_GROUPS - 1) / _GROUPS * float(((left_out - left_out.mean()) ** 2).sum())
    per_item = sqrt(variance * _SIMULATED_ITEMS)
    quantile = NormalDist().inv_cdf((1 + level) / 2)
    items = max(2, ceil((2 * quantile * per_item / width) ** 2))
    return Design(
        raters=raters,
        alpha=alpha,
        width=width,
        level=level,
        items=items,
        labels=items * raters,
        overlap=overlap,
        total_items=ceil(items / overlap),
    )


def simulate(
    random: np.random.Generator, items: int, raters: int, alpha: float, shares: np.ndarray
) -> Counts:
    """Return simulated ratings, items x raters, whose alpha is `alpha` in expectation."""
    truth = random.choice(len(shares), size=(items, 1), p=shares)
    guess = random.choice(len(shares), size=(items, raters), p=shares)
    sees = random.random((items, raters)) < sqrt(alpha)
    return np.where(sees, truth, guess).astype(np.int64)


def _check(
    raters: int,
    alpha: float,
    width: float,
    categories: int,
    prevalence: tuple[float, ...] | None,
    overlap: float,
    level: float,
) -> None:
    rules = {
        "--raters must be 2 or more": raters >= 2,
        "--alpha must be above 0 and at most 1": 0 < alpha <= 1,
        "--width must be above 0 and below 2": 0 < width < 2,
        "--categories must be 2 or more": categories >= 2,
        "--overlap must be above 0 and at most 1": 0 < overlap <= 1,
        "--level must lie between 0 and 1": 0 < level < 1,
        "--prevalence must be shares above 0 that sum to 1": prevalence is None
        or (len(prevalence) > 1 and min(prevalence) > 0 and abs(sum(prevalence) - 1) < 1e-6),
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise PipelineError("\n".join(broken))
