"""Pairs as numbers: rows of a feature matrix, the preferred one first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.features.table import Array
from pipeline.reward_model.texts import RewardError, Text, TextPair

Rows: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class PairRows:
    """Positions of the chosen and of the rejected side, and the group of each pair."""

    chosen: Rows
    rejected: Rows
    groups: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.chosen)

    def take(self, which: Rows | NDArray[np.bool_]) -> Self:
        """Return some of the pairs."""
        return type(self)(self.chosen[which], self.rejected[which], self.groups[which])

    def texts(self) -> Rows:
        """Return each position once."""
        return np.unique(np.concatenate([self.chosen, self.rejected]))


def indexed(pairs: Sequence[TextPair]) -> tuple[list[Text], PairRows]:
    """Return the texts of `pairs`, each once, and the pairs as positions among them."""
    place: dict[Text, int] = {}
    chosen = [place.setdefault(pair.chosen, len(place)) for pair in pairs]
    rejected = [place.setdefault(pair.rejected, len(place)) for pair in pairs]
    groups = np.array([pair.group for pair in pairs], dtype=np.str_)
    return list(place), PairRows(np.array(chosen, np.intp), np.array(rejected, np.intp), groups)


def check_pairs(features: Array, pairs: PairRows) -> None:
    """Raise RewardError for pairs that nothing can be learned from."""
    if not len(pairs):
        raise RewardError("no preference pair to learn from\nGive pairs whose ratings differ.")
    differences = features[pairs.chosen] - features[pairs.rejected]
    if not np.abs(differences).max() > 0:
        raise RewardError(
            f"both sides are alike to the encoder in all {len(pairs)} pairs: nothing to tell apart"
            "\nGive pairs whose sides differ, or another encoder."
        )
