"""`nearest_centroid`: the reward is how much nearer a text is to the preferred than to the others.

For squared distances that is a direction: the difference of the two means.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads.base import Direction, differences


class NearestCentroid(Direction):
    """`shrink` weakens features whose means differ by less than that many standard errors."""

    name = "nearest_centroid"
    GRID: ClassVar = tuple(
        {"shrink": shrink} for shrink in (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
    )

    def __init__(self, *, shrink: float = 0.0) -> None:
        self.shrink = shrink

    def fit(self, features: Array, pairs: PairRows, unlabelled: Array) -> Self:
        """Take the mean difference, shrunken towards 0 feature by feature."""
        del unlabelled
        rows = differences(features, pairs)
        mean = rows.mean(axis=0)
        error = rows.std(axis=0) / np.sqrt(len(rows))
        shrunken = np.sign(mean) * np.maximum(np.abs(mean) - self.shrink * error, 0)
        self.direction_ = shrunken if shrunken.any() else mean
        return self
