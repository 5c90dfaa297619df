"""`Head`: the one interface of all reward models, on features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows


class Head(ABC):
    """Learns a reward of features (texts, numbers); fitted state is arrays alone."""

    name: ClassVar[str]
    # The settings of the search, the one that is taken without it first.
    GRID: ClassVar[tuple[Mapping[str, Any], ...]]

    def prepare(self, unlabelled: Array) -> Self:
        """Learn what needs no label, once for many fits."""
        del unlabelled
        return self

    @abstractmethod
    def fit(self, features: Array, pairs: PairRows, unlabelled: Array) -> Self:
        """Learn from `pairs` of rows of `features`; `unlabelled` are features nobody judged."""

    @abstractmethod
    def score(self, features: Array) -> Array:
        """Return the reward of each row."""

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """Return what was learned."""

    @abstractmethod
    def restore(self, state: Mapping[str, Array]) -> Self:
        """Take what was learned from `state`."""

    @property
    def prototypes(self) -> int:
        """How many prototypes it holds; 0 for a head without."""
        return 0


class Direction(Head):
    """A head whose reward is the product of features and one vector."""

    direction_: Array

    def score(self, features: Array) -> Array:
        """Return the reward of each row."""
        return np.asarray(features @ self.direction_)

    def state(self) -> dict[str, Array]:
        """Return the vector."""
        return {"direction": self.direction_}

    def restore(self, state: Mapping[str, Array]) -> Self:
        """Take the vector from `state`."""
        self.direction_ = state["direction"]
        return self


def differences(features: Array, pairs: PairRows) -> Array:
    """Return chosen less rejected, a row per pair."""
    return np.asarray(features[pairs.chosen] - features[pairs.rejected])
