"""`ridge`: least squares that would have every preferred text one above the other."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads.base import Direction, differences


class Ridge(Direction):
    """`l2` is the penalty on squared weights beside the mean squared error."""

    name = "ridge"
    GRID: ClassVar = tuple({"l2": l2} for l2 in (0.3, 3.0, 1.0, 0.1, 0.03, 0.01, 0.003, 0.001))

    def __init__(self, *, l2: float = 0.3) -> None:
        self.l2 = l2

    def fit(self, features: Array, pairs: PairRows, unlabelled: Array) -> Self:
        """Solve in closed form."""
        del unlabelled
        rows = differences(features, pairs)
        gram = rows.T @ rows / len(rows) + self.l2 * np.eye(rows.shape[1])
        self.direction_ = np.linalg.solve(gram, rows.mean(axis=0))
        return self
