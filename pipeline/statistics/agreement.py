"""Chance-corrected agreement as statistics that can be bootstrapped.

Sources: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011); Gwet, British Journal of
Mathematical and Statistical Psychology 61 (2008), and Handbook of Inter-Rater Reliability (2014);
Cohen, Educational and Psychological Measurement 20 (1960) and Psychological Bulletin 70 (1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics.bootstrap import Floats, Statistic

Counts = NDArray[np.int64]
Scale = Literal["nominal", "ordinal", "interval"]
Weights = Literal["identity", "linear", "quadratic"]

# Below this an expected disagreement is rounding: all ratings are one category.
_NOTHING = 1e-12


def count_categories(codes: Counts, categories: int) -> Floats:
    """Return how many raters put each item into each category, shape (items, categories).

    `codes` is items x raters; an entry is the number of a category, or -1 where a rater is missing.
    """
    return np.stack([(codes == k).sum(axis=1) for k in range(categories)], axis=1).astype(float)


def krippendorff_alpha(codes: Counts, values: Floats, scale: Scale) -> Statistic:
    """Return alpha; 1 is perfect, 0 is chance, below 0 is systematic disagreement.

    `values` are the categories as numbers, in order; only an interval scale uses their distances.
    Items with fewer than two ratings do not count. Undefined where all ratings are one category.
    """
    size = len(values)
    counts = count_categories(codes, size)
    raters = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(size)
    rows = np.where(
        (raters >= 2)[:, None, None], pairs / np.maximum(raters - 1, 1)[:, None, None], 0
    )

    def value(sums: Floats) -> Floats:
        observed = sums.reshape(-1, size, size)
        totals = observed.sum(axis=2)
        total = totals.sum(axis=1)
        distance = _distances(totals, values, scale)
        seen = (observed * distance).sum(axis=(1, 2)) / np.maximum(total, 1)
        chance = (totals[:, :, None] * totals[:, None, :] * distance).sum(axis=(1, 2))
        chance = chance / np.maximum(total * (total - 1), 1)
        return _corrected(seen, chance)

    return Statistic(rows.reshape(len(rows), size**2), value)


def _corrected(seen: Floats, chance: Floats) -> Floats:
    safe = np.where(chance > _NOTHING, chance, 1)
    return np.where(chance > _NOTHING, 1 - seen / safe, np.nan)


def _distances(totals: Floats, values: Floats, scale: Scale) -> Floats:
    """Return squared distances between categories, shape (n or 1, K, K)."""
    size = len(values)
    if scale == "nominal":
        return (1 - np.eye(size))[None]
    if scale == "interval":
        return ((values[:, None] - values[None, :]) ** 2)[None]
    # Ordinal: the ratings that lie between two categories, each end counted half.
    middle = np.cumsum(totals, axis=1) - totals / 2
    squared: Floats = (middle[:, :, None] - middle[:, None, :]) ** 2
    return squared


def agreement_weights(size: int, weights: Weights) -> Floats:
    """Return how much of an agreement two categories are: 1 the same, 0 the furthest apart."""
    if weights == "identity" or size < 2:
        return np.eye(size)
    apart = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :]) / (size - 1)
    close: Floats = 1 - (apart if weights == "linear" else apart**2)
    return close


def gwet_ac(codes: Counts, categories: int, weights: Weights) -> Statistic:
    """Return AC1 (`weights` is identity) or AC2; steadier than alpha where one category rules.

    `categories` counts the categories there could be, used or not. Undefined without an item that
    two raters rated, or with a single category.
    """
    weight = agreement_weights(categories, weights)
    counts = count_categories(codes, categories)
    raters = counts.sum(axis=1)
    agreeing = (counts * (counts @ weight - 1)).sum(axis=1)
    paired = raters >= 2
    shares = counts / np.maximum(raters, 1)[:, None]
    rows = np.column_stack(
        [
            np.where(paired, agreeing / np.maximum(raters * (raters - 1), 1), 0),
            paired,
            shares,
            raters >= 1,
        ]
    ).astype(float)

    def value(sums: Floats) -> Floats:
        if categories < 2:
            return np.full(len(sums), np.nan)
        items = sums[:, 1]
        seen = sums[:, 0] / np.maximum(items, 1)
        prevalence = sums[:, 2:-1] / np.maximum(sums[:, -1:], 1)
        chance = weight.sum() / (categories * (categories - 1))
        chance = chance * (prevalence * (1 - prevalence)).sum(axis=1)
        return np.where(items > 0, (seen - chance) / (1 - chance), np.nan)

    return Statistic(rows, value)


def cohen_kappa(codes: Counts, categories: int, weights: Weights) -> Statistic:
    """Return Cohen's kappa of the two raters in `codes`, shape (items, 2), over shared items.

    Undefined where chance alone would agree on everything, and without a shared item.
    """
    shared = codes[(codes >= 0).all(axis=1)]
    weight = agreement_weights(categories, weights)
    rows = np.zeros((len(shared), categories, categories))
    rows[np.arange(len(shared)), shared[:, 0], shared[:, 1]] = 1

    def value(sums: Floats) -> Floats:
        table = sums.reshape(-1, categories, categories)
        items = table.sum(axis=(1, 2))
        table = table / np.maximum(items, 1)[:, None, None]
        expected = table.sum(axis=2)[:, :, None] * table.sum(axis=1)[:, None, :]
        kappa = _corrected(
            ((1 - weight) * table).sum(axis=(1, 2)), ((1 - weight) * expected).sum(axis=(1, 2))
        )
        return np.where(items > 0, kappa, np.nan)

    return Statistic(rows.reshape(len(rows), categories**2), value)


def raw_agreement(codes: Counts, categories: int) -> Statistic:
    """Return the share of pairs of raters who gave one item the same category."""
    counts = count_categories(codes, categories)
    raters = counts.sum(axis=1)
    rows = np.column_stack([(counts * (counts - 1)).sum(axis=1), raters * (raters - 1)])

    def value(sums: Floats) -> Floats:
        return np.where(sums[:, 1] > 0, sums[:, 0] / np.maximum(sums[:, 1], 1), np.nan)

    return Statistic(rows, value)


def icc_2_1(ratings: Floats) -> Statistic:
    """Return ICC(2,1): two-way random effects, absolute agreement, a single rater.

    `ratings` is items x raters without gaps. Shrout and Fleiss, Psychological Bulletin 86 (1979).
    Undefined with fewer than two items or raters, and where nothing varies.
    """
    raters = ratings.shape[1]
    # An overall shift leaves an ICC as it is and keeps sums of squares accurate.
    centred = ratings - (ratings.mean() if ratings.size else 0)
    total = centred.sum(axis=1)
    rows = np.column_stack([np.ones(len(ratings)), total, total**2, centred**2, centred])

    def value(sums: Floats) -> Floats:
        n, grand, squares = sums[:, 0], sums[:, 1], sums[:, 2]
        everything = sums[:, 3 : 3 + raters].sum(axis=1)
        safe_n = np.maximum(n, 2)
        correction = grand**2 / (safe_n * raters)
        between_items = squares / raters - correction
        between_raters = (sums[:, 3 + raters :] ** 2).sum(axis=1) / safe_n - correction
        error = everything - correction - between_items - between_raters
        items_ms = between_items / (safe_n - 1)
        raters_ms = between_raters / max(raters - 1, 1)
        error_ms = error / ((safe_n - 1) * max(raters - 1, 1))
        below = items_ms + (raters - 1) * error_ms + raters * (raters_ms - error_ms) / safe_n
        defined = (n >= 2) & (raters >= 2) & (np.abs(below) > _NOTHING)
        return np.where(defined, (items_ms - error_ms) / np.where(defined, below, 1), np.nan)

    return Statistic(rows, value)


def icc_1(groups: Sequence[Sequence[float]]) -> float | None:
    """Return ICC(1) of a one-way design with groups of any size: the share of variance between.

    Shrout and Fleiss (1979). None with fewer than two groups, or where it is not defined.
    """
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    total, count = sizes.sum(), len(groups)
    if count < 2 or total <= count:
        return None
    means = np.array([np.mean(group) for group in groups])
    grand = (sizes @ means) / total
    between = sizes @ (means - grand) ** 2 / (count - 1)
    within = sum(len(group) * np.var(group) for group in groups) / (total - count)
    size = (total - sizes @ sizes / total) / (count - 1)
    below = between + (size - 1) * within
    return float((between - within) / below) if below else None
