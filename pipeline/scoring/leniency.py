"""How lenient each rater is, taken out of training and never needed at prediction.

A random intercept per rater over the responder's mean rating, with the rater's empathy
questionnaire (TEQ) as a covariate of the intercept. A scorer reads the estimate as one more column
in training; at prediction the column is 0, a rater of average leniency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.table import Array
from pipeline.scoring.rated import Labels, Names, RatedSet


def leniency(rated: RatedSet) -> Array:
    """Return, per response, its rater's leniency in rating points, 0 on average and if unknown.

    It is the empirical-Bayes mean from the rater's *other* ratings: the rating itself must not
    enter its own covariate.
    """
    residual = rated.ratings - _responder_means(rated.ratings, rated.responders)
    known = rated.raters != ""
    estimate = np.zeros(len(rated))
    if known.sum() < 2:
        return estimate
    _, place, count = np.unique(rated.raters[known], return_inverse=True, return_counts=True)
    total = np.asarray(np.bincount(place, weights=residual[known]), dtype=np.float64)
    noise, spread = _variances(residual[known], place, count, total)
    if spread <= 0 or not (count > 1).any():
        return estimate
    prior = _from_teq(rated.teq[known], residual[known])
    weight = noise / spread
    others = total[place] - residual[known]
    estimate[known] = (others + weight * prior) / (count[place] - 1 + weight)
    return estimate


def _responder_means(ratings: Labels, responders: Names) -> Array:
    _, place, count = np.unique(responders, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=ratings) / count
    return np.asarray(means[place])


def _variances(
    residual: Array, place: NDArray[Any], count: NDArray[Any], total: Array
) -> tuple[float, float]:
    """Return the variance within raters and between them (analysis of variance, one way)."""
    raters, rows = len(count), len(residual)
    if rows <= raters or raters < 2:
        return 1.0, 0.0
    means = total / count
    within = float(((residual - means[place]) ** 2).sum()) / (rows - raters)
    between = float((count * (means - residual.mean()) ** 2).sum()) / (raters - 1)
    usual = (rows - float((count**2).sum()) / rows) / (raters - 1)
    return within, (between - within) / usual


def _from_teq(teq: Array, residual: Array) -> Array:
    """Return the residual that the questionnaire predicts, 0 where it is not known."""
    known = ~np.isnan(teq)
    predicted = np.zeros(len(teq))
    if known.sum() > 2 and np.ptp(teq[known]) > 0:
        slope, level = np.polyfit(teq[known], residual[known], 1)
        predicted[known] = level + slope * teq[known]
    return predicted
