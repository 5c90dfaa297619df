from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import TableError
from pipeline.features.embeddings import CachedEmbedder
from pipeline.features.table import Array


class LetterCounter:
    """Embeds a text as its number of letters a and b."""

    def __init__(self, name: str = "letters 1") -> None:
        self.name = name
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Array:
        self.asked += texts
        return np.array([[text.count("a"), text.count("b")] for text in texts], dtype=np.float64)


def test_a_text_is_computed_once_whatever_the_order(tmp_path: Path) -> None:
    letters = LetterCounter()
    first = CachedEmbedder(letters, tmp_path / "cache.sqlite").embed(["abba", "b", "abba"])
    again = CachedEmbedder(letters, tmp_path / "cache.sqlite").embed(["b", "abba"])

    assert sorted(letters.asked) == ["abba", "b"]
    np.testing.assert_array_equal(first, [[2, 2], [0, 1], [2, 2]])
    np.testing.assert_array_equal(again, [[0, 1], [2, 2]])


def test_another_model_does_not_answer_with_this_ones_vectors(tmp_path: Path) -> None:
    other = LetterCounter("letters 2")
    CachedEmbedder(LetterCounter(), tmp_path / "cache.sqlite").embed(["abba"])
    CachedEmbedder(other, tmp_path / "cache.sqlite").embed(["abba"])

    assert other.asked == ["abba"]


def test_a_damaged_cache_says_that_it_can_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "cache.sqlite").write_bytes(b"not a database at all" * 100)

    with pytest.raises(TableError, match=r"not a cache of embeddings.*\nDelete it"):
        CachedEmbedder(LetterCounter(), tmp_path / "cache.sqlite").embed(["a"])
