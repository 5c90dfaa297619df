from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import TableError, TargetError
from pipeline.features.embeddings import CachedEmbedder
from pipeline.features.table import Array
from tests.cli.test_refusing_disks import fill


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


def test_a_full_disk_is_not_blamed_on_the_cache(small_disk: Path) -> None:
    path = small_disk / "cache.sqlite"
    embedder = CachedEmbedder(LetterCounter(), path)
    embedder.embed(["abba"])
    fill(small_disk, 0)

    with pytest.raises(TargetError, match="disk is full") as refused:
        embedder.embed([f"{number} b" for number in range(2000)])

    assert "Delete it" not in str(refused.value)
    np.testing.assert_array_equal(embedder.embed(["abba"]), [[2, 2]])


def test_a_read_only_disk_is_not_blamed_on_the_cache(
    small_disk: Path, make_read_only: Callable[[], None]
) -> None:
    embedder = CachedEmbedder(LetterCounter(), small_disk / "cache.sqlite")
    embedder.embed(["abba"])
    make_read_only()

    with pytest.raises(TargetError, match=r"readonly.*\nCheck that the disk can be written to"):
        embedder.embed(["b"])


def test_a_cache_that_another_program_holds_is_not_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cache.sqlite"
    embedder = CachedEmbedder(LetterCounter(), path)
    embedder.embed(["abba"])
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda at, timeout: connect(at, timeout=0.01))

    with closing(connect(path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        with pytest.raises(TargetError, match=r"locked.*\nAnother program holds it: wait"):
            embedder.embed(["b"])


def test_a_database_of_another_shape_is_no_cache(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as other:
        other.execute("create table vectors (only_one)")

    with pytest.raises(TableError, match=r"not a cache of embeddings.*\nDelete it"):
        CachedEmbedder(LetterCounter(), tmp_path / "cache.sqlite").embed(["a"])
