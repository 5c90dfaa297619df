"""How lenient each rater is, taken out of training and never needed at prediction.

Two models of it, both with the rater's empathy questionnaire (TEQ) as a covariate. A scorer reads
the estimate as one more column in training; at prediction the column is 0, a rater of average
leniency. A rating never enters its own estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.features.table import Array
from pipeline.scoring.mixed import fit_mixed
from pipeline.scoring.rated import Labels, Names, RatedSet, by_first_sight

RaterModel = Literal["none", "empirical_bayes", "mixed"]


def leniency(rated: RatedSet, values: Array | None = None) -> Array:
    """Return, per response, its rater's leniency in rating points, 0 on average and if unknown.

    Empirical Bayes: a random intercept over the responder's mean rating, its variance by moments.
    `values` (the features) are not looked at.
    """
    del values
    residual = rated.ratings - _responder_means(rated.ratings, rated.responders)
    known = rated.raters != ""
    estimate = np.zeros(len(rated))
    if known.sum() < 2:
        return estimate
    place, count = by_first_sight(rated.raters[known])
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


def mixed_leniency(rated: RatedSet, values: Array) -> Array:
    """Return the same by a mixed model: responder, features and TEQ fixed, raters random, by REML.

    `values` (responses, features) keep a rater who met good responses from looking lenient.
    """
    known = np.flatnonzero(rated.raters != "")
    estimate = np.zeros(len(rated))
    place, count = by_first_sight(rated.raters[known])
    if len(count) < 2 or not (count > 1).any():
        return estimate
    fixed, teq = fixed_effects(rated.take(known), values[known])
    ratings = rated.ratings[known].astype(np.float64)
    if fixed.shape[1] >= len(known):
        return leniency(rated)
    model = fit_mixed(ratings, fixed, place)
    told = fixed[:, teq] @ model.coefficients[teq]
    left = ratings - fixed @ model.coefficients
    others = np.bincount(place, weights=left)[place] - left
    weight = model.within / max(model.between, 1e-12)
    estimate[known] = told + others / (count[place] - 1 + weight)
    return estimate


def fixed_effects(rated: RatedSet, values: Array) -> tuple[Array, list[int]]:
    """Return responder, features and TEQ as columns of full rank, and which of them are the TEQ.

    All but the responders' columns have mean 0; what is missing is at the mean.
    """
    responders = np.unique(rated.responders)
    columns = [(rated.responders == one).astype(np.float64) for one in responders]
    columns += [_centred(column) for column in values.T]
    columns.append(_centred(rated.teq))
    whole = np.column_stack(columns)
    left = np.abs(np.diag(np.linalg.qr(whole, mode="r")))  # beyond what earlier columns tell
    kept = left > 1e-3 * np.maximum(np.linalg.norm(whole, axis=0), 1e-9)
    return whole[:, kept], [int(kept.sum()) - 1] if kept[-1] else []


def _centred(column: Array) -> Array:
    known = ~np.isnan(column)
    centred = np.zeros(len(column))
    centred[known] = column[known] - column[known].mean() if known.any() else 0.0
    return centred


LENIENCY: dict[str, Callable[[RatedSet, Array], Array]] = {
    "empirical_bayes": leniency,
    "mixed": mixed_leniency,
}
