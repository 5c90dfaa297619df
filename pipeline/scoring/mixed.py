"""A linear mixed model with one random intercept, in closed form but for one variance ratio.

y = X b + u_g + e, with u_g normal of variance `between` and e of variance `within`. Given
their ratio, the covariance of a group inverts by hand, so b and the restricted likelihood (REML)
need sums per group alone; the ratio is found by a bounded search on its logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.table import Array

_RATIOS = (-12.0, 6.0)  # logarithm of between / within; below it, groups do not differ


@dataclass(frozen=True)
class MixedModel:
    """Fitted coefficients (columns of X), their standard errors, and the two variances."""

    coefficients: Array
    errors: Array
    within: float
    between: float

    @property
    def share_between(self) -> float:
        """Return the share of the residual variance that is between groups: ICC(1), 0 to 1."""
        return self.between / (self.between + self.within)


def fit_mixed(values: Array, fixed: Array, groups: NDArray[np.intp]) -> MixedModel:
    """Fit by REML; `fixed` has full column rank and `groups` are numbered from 0.

    Source of the formulas: Searle, Casella and McCulloch (1992), Variance Components, ch. 6.
    """
    from scipy.optimize import minimize_scalar

    sums = _Sums(values, fixed, groups)
    found = minimize_scalar(lambda log: sums.minus_likelihood(float(np.exp(log))), bounds=_RATIOS)
    ratio = float(np.exp(found.x))
    coefficients, inverse, within = sums.solve(ratio)
    errors = np.sqrt(within * np.diag(inverse))
    return MixedModel(coefficients, errors, within, within * ratio)


class _Sums:
    """What the likelihood needs of the data, per group."""

    def __init__(self, values: Array, fixed: Array, groups: NDArray[np.intp]) -> None:
        self.count = np.bincount(groups).astype(np.float64)
        self.both = np.column_stack([fixed, values])
        self.sums = np.zeros((len(self.count), self.both.shape[1]))
        np.add.at(self.sums, groups, self.both)
        self.cross = self.both.T @ self.both
        self.free = len(values) - fixed.shape[1]

    def solve(self, ratio: float) -> tuple[Array, Array, float]:
        """Return coefficients, the inverse of X'V^-1 X, and the variance within groups."""
        weight = ratio / (1 + self.count * ratio)
        whole = self.cross - (self.sums * weight[:, None]).T @ self.sums
        inverse = np.linalg.inv(whole[:-1, :-1])
        coefficients = inverse @ whole[:-1, -1]
        within = float(whole[-1, -1] - whole[:-1, -1] @ coefficients) / self.free
        return np.asarray(coefficients), np.asarray(inverse, np.float64), within

    def minus_likelihood(self, ratio: float) -> float:
        """Return minus twice the restricted log-likelihood, up to a constant."""
        _, inverse, within = self.solve(ratio)
        _, log_inverse = np.linalg.slogdet(inverse)
        spread = float(np.log1p(self.count * ratio).sum())
        return float(self.free * np.log(within) + spread - log_inverse)
