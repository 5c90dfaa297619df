"""`linear`: the Bradley-Terry head, P(i over j) = sigmoid(w . (x_i - x_j)), with L2."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads.base import Direction, differences

# Beyond this precision no preference changes.
SOLVER = {"maxiter": 60, "ftol": 1e-6}


class Linear(Direction):
    """One weight per feature; `l2` is the penalty on their squares beside the mean loss.

    `directions` takes the leading features alone, in the unlabelled texts' order; 0: all.
    """

    name = "linear"
    GRID: ClassVar = tuple({"l2": l2} for l2 in (0.1, 1.0, 0.3, 0.03, 0.01, 0.003, 0.001, 0.0003))

    def __init__(self, *, l2: float = 0.1, directions: int = 0) -> None:
        self.l2 = l2
        self.directions = directions

    def fit(self, features: Array, pairs: PairRows, unlabelled: Array) -> Self:
        """Find the weights that make the preferences most likely."""
        del unlabelled
        rows = differences(features, pairs)
        count = self.directions or rows.shape[1]
        self.direction_ = np.zeros(rows.shape[1])
        self.direction_[:count] = bradley_terry(rows[:, :count], self.l2)
        return self


def bradley_terry(rows: Array, l2: float) -> Array:
    """Return w that minimises mean log(1 + exp(-rows @ w)) + l2/2 |w|^2."""
    from scipy.optimize import minimize

    def loss(weights: Array) -> tuple[float, Array]:
        margins = rows @ weights
        slopes = -sigmoid(-margins) / len(rows)
        value = np.logaddexp(0, -margins).mean() + l2 / 2 * weights @ weights
        return float(value), rows.T @ slopes + l2 * weights

    start = np.zeros(rows.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=SOLVER)
    return np.asarray(found.x)


def sigmoid(values: Array) -> Array:
    """Return 1 / (1 + exp(-values)) without overflow."""
    from scipy.special import expit

    return np.asarray(expit(values))
