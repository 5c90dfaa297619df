"""What turns a prompt with its response into numbers, the same for every reward model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from pipeline.features.embeddings import Embedder
from pipeline.features.table import Array
from pipeline.features.text import text_table, text_version
from pipeline.reward_model.texts import RewardError, Text

# The weight of the readable features beside an embedding of length 1.
STYLE_WEIGHT = 0.7
# Directions of least variance are left out: they cost time and decide nothing.
DIRECTIONS = 128


class Encoder(Protocol):
    """A named way to see texts. The last `style` columns are readable features, NaN if unknown."""

    @property
    def name(self) -> str:
        """Say which encoder it is; a saved model answers with no other."""

    @property
    def style(self) -> int:
        """Return how many of the last columns are readable features."""

    def encode(self, texts: Sequence[Text]) -> Array:
        """Return one row per text."""


class FrozenEncoder:
    """The embedding of the response, and readable features of it beside its prompt."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.style = len(text_table([("any", "any", "any")]).names)

    @property
    def name(self) -> str:
        """The embedder, and the version of the readable features."""
        return f"{self._embedder.name} + text {text_version()}"

    def encode(self, texts: Sequence[Text]) -> Array:
        """Return an array (texts, embedding and readable features).

        Raises RewardError for an empty text.
        """
        if empty := next((one for one in texts if not one.response.strip()), None):
            raise RewardError(f"text {empty.id or '(no id)'}: the response is empty\nLeave it out.")
        rows = [(str(number), one.response, one.prompt) for number, one in enumerate(texts)]
        embedded = self._embedder.embed([one.response for one in texts])
        return np.hstack([embedded, text_table(rows).values])


@dataclass(frozen=True)
class Scaling:
    """Means and factors per column, and the leading directions, of the texts of training."""

    means: Array
    factors: Array
    directions: Array

    @classmethod
    def of(cls, features: Array, style: int) -> Self:
        """Centre all columns, bring the readable ones to `STYLE_WEIGHT` together, and turn.

        What is not known becomes 0. Of the turned columns the first `DIRECTIONS` are kept.
        """
        plain = features[:, : features.shape[1] - style]
        if not np.isfinite(plain).all():
            row = int(np.flatnonzero(~np.isfinite(plain).all(axis=1))[0])
            raise RewardError(f"text {row}: its features are not finite numbers\nLeave it out.")
        known = np.isfinite(features)
        counts = np.maximum(known.sum(axis=0), 1)
        means = np.where(known, features, 0).sum(axis=0) / counts
        spread = np.sqrt((np.where(known, features - means, 0) ** 2).sum(axis=0) / counts)
        factors = np.ones(features.shape[1])
        if style:
            usable = np.where(spread[-style:] > 0, spread[-style:], np.inf)
            factors[-style:] = STYLE_WEIGHT / np.sqrt(style) / usable
        scaled = np.nan_to_num((features - means) * factors, nan=0.0)
        _, turns = np.linalg.eigh(scaled.T @ scaled / len(scaled))
        return cls(means, factors, turns[:, ::-1][:, :DIRECTIONS].copy())

    def apply(self, features: Array) -> Array:
        """Return centred, scaled and turned features (texts, directions)."""
        scaled = np.nan_to_num((features - self.means) * self.factors, nan=0.0)
        return np.asarray(scaled @ self.directions)
