"""Classifiers that know that 1 < 2 < 3.

Both follow scikit-learn: constructor arguments are kept as they are, fitted state ends in `_`.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight

from pipeline.features.table import Array

Labels = NDArray[np.int64]


class OrdinalLogistic(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Proportional odds: P(y > k) = logistic(x w - t_k), with one w and rising thresholds t.

    `C` is the inverse of the ridge penalty on w, as in LogisticRegression; `class_weight` is None
    or "balanced".
    """

    def __init__(self, C: float = 1.0, class_weight: str | None = None) -> None:
        self.C = C
        self.class_weight = class_weight

    def fit(self, X: Array, y: Labels, sample_weight: Array | None = None) -> Self:
        """Fit by L-BFGS; `X` has no NaN."""
        from scipy.optimize import minimize

        X = np.asarray(X, dtype=np.float64)
        self.classes_, place = np.unique(y, return_inverse=True)
        weight = compute_sample_weight(self.class_weight, y)
        if sample_weight is not None:
            weight = weight * sample_weight
        cuts = len(self.classes_) - 1
        shares = np.cumsum(np.bincount(place, weights=weight))[:-1] / weight.sum()
        first = np.log(shares / (1 - shares))
        start = np.concatenate([np.zeros(X.shape[1]), first[:1], np.log(np.diff(first) + 1e-9)])
        found = minimize(
            _loss_and_slope,
            start,
            args=(X, place, weight, cuts, self.C),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 500},
        )
        self.coef_ = found.x[: X.shape[1]]
        self.thresholds_ = _thresholds(found.x[X.shape[1] :])
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X: Array) -> Array:
        """Return one column per class, in the order of `classes_`."""
        above = _logistic(np.asarray(X) @ self.coef_[:, None] - self.thresholds_)
        edges = np.hstack([np.ones((len(above), 1)), above, np.zeros((len(above), 1))])
        return edges[:, :-1] - edges[:, 1:]

    def predict(self, X: Array) -> Labels:
        """Return the most probable class."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


class RidgeOrdinal(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Ridge regression on the rating, then proportional odds on its left-one-out predictions.

    The penalty is the one of `alphas` whose left-one-out squared error is least. The odds are
    fitted on predictions of rows that the regression did not see, so they do not trust it too
    much.
    """

    def __init__(
        self,
        alphas: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0, 10000.0),
        class_weight: str | None = None,
    ) -> None:
        self.alphas = alphas
        self.class_weight = class_weight

    def fit(self, X: Array, y: Labels, sample_weight: Array | None = None) -> Self:
        """Fit both parts; `X` has no NaN."""
        weight = compute_sample_weight(self.class_weight, y)
        if sample_weight is not None:
            weight = weight * sample_weight
        weight = weight / weight.mean()
        target = np.asarray(y, dtype=np.float64)
        middle, level = np.average(X, axis=0, weights=weight), np.average(target, weights=weight)
        root = np.sqrt(weight)
        left, size, right = np.linalg.svd((X - middle) * root[:, None], full_matrices=False)
        seen = left.T @ ((target - level) * root)
        least = np.inf
        for alpha in self.alphas:
            shrunk = size**2 / (size**2 + alpha)
            fitted = left @ (shrunk * seen)
            leverage = np.minimum((left**2) @ shrunk + weight / weight.sum(), 1 - 1e-9)
            missed = ((target - level) * root - fitted) / (1 - leverage)
            if (error := float(missed @ missed)) < least:
                least, self.alpha_ = error, alpha
                self.coef_ = right.T @ (np.divide(size, size**2 + alpha) * seen)
                unseen = target - missed / root
        self.intercept_ = float(level - middle @ self.coef_)
        self.odds_ = OrdinalLogistic(C=1e6).fit(unseen[:, None], y, sample_weight=weight)
        self.classes_ = self.odds_.classes_
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X: Array) -> Array:
        """Return one column per class, in the order of `classes_`."""
        return self.odds_.predict_proba((np.asarray(X) @ self.coef_ + self.intercept_)[:, None])

    def predict(self, X: Array) -> Labels:
        """Return the most probable class."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


def _thresholds(parameters: Array) -> Array:
    return np.concatenate([parameters[:1], parameters[0] + np.cumsum(np.exp(parameters[1:]))])


def _logistic(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))))


def _loss_and_slope(
    parameters: Array,
    X: Array,
    place: Labels,
    weight: Array,
    cuts: int,
    C: float,
) -> tuple[float, Array]:
    """Return the penalised negative log-likelihood and its gradient."""
    w, raw = parameters[: X.shape[1]], parameters[X.shape[1] :]
    cut = _thresholds(raw)
    above = _logistic((X @ w)[:, None] - cut)
    edges = np.hstack([np.ones((len(X), 1)), above, np.zeros((len(X), 1))])
    rows = np.arange(len(X))
    chance = np.maximum(edges[rows, place] - edges[rows, place + 1], 1e-12)
    steep = np.hstack([np.zeros((len(X), 1)), above * (1 - above), np.zeros((len(X), 1))])
    upper, lower = steep[rows, place] / chance, steep[rows, place + 1] / chance
    slope_w = -(X.T @ (weight * (upper - lower))) + w / C
    slope_cut = np.zeros(cuts)
    for k in range(cuts):
        slope_cut[k] = (weight * (upper * (place == k + 1) - lower * (place == k))).sum()
    slope_raw = np.array(
        [slope_cut.sum(), *(slope_cut[k:].sum() * np.exp(raw[k]) for k in range(1, cuts))]
    )
    loss = -(weight * np.log(chance)).sum() + 0.5 * w @ w / C
    return float(loss), np.concatenate([slope_w, slope_raw])
