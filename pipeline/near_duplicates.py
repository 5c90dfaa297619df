"""Texts that say nearly the same: MinHash candidates, verified by exact Jaccard similarity.

Shingles are hashed for a whole block of texts at once, and candidates are thinned by their
signatures before any set is built: only what is likely to be a pair pays for the exact check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHINGLE_CHARS = 4
# 48 bands of 4 rows make a pair of Jaccard 0.6 a candidate in 99.9% of cases, one of 0.5 in 95%.
PERMUTATIONS = 192
BANDS = 48
# Four standard errors of the signature's estimate at Jaccard 0.5: a pair so far below the
# threshold by signature is above it in truth once in 30,000 times.
ESTIMATE_SLACK = 4 * 0.5 / PERMUTATIONS**0.5
BLOCK_TEXTS = 256
BLOCK_PAIRS = 65_536
_NOT_A_WORD = re.compile(r"\W+")


@dataclass(frozen=True, order=True)
class NearDuplicate:
    """Two positions in the input, `left` < `right`, and the exact Jaccard similarity, 0 to 1."""

    left: int
    right: int
    similarity: float


def normalise(text: str) -> str:
    """Return the words of `text` in lower case, joined by single blanks."""
    return _NOT_A_WORD.sub(" ", text.casefold()).strip()


def shingles(text: str) -> frozenset[str]:
    """Return the character 4-grams of the normalised text; a shorter text is one shingle."""
    return _shingles_of(normalise(text))


def _shingles_of(words: str) -> frozenset[str]:
    last = max(1, len(words) - SHINGLE_CHARS + 1)
    return frozenset([words[start : start + SHINGLE_CHARS] for start in range(last)])


def near_duplicates(texts: Sequence[str], *, threshold: float) -> list[NearDuplicate]:
    """Return all pairs of `texts` at or above `threshold`, sorted by position.

    Texts that are equal once normalised have similarity 1. The same input gives the same pairs:
    the hash functions have a fixed seed and every candidate is verified exactly.
    """
    if len(texts) < 2:
        return []
    words = [normalise(text) for text in texts]
    signatures = _signatures(words)
    sets: dict[int, frozenset[str]] = {}
    found = []
    for left, right in _candidates(signatures, threshold):
        for position in (left, right):
            if position not in sets:
                sets[position] = _shingles_of(words[position])
        similarity = jaccard(sets[left], sets[right])
        if similarity >= threshold:
            found.append(NearDuplicate(left, right, similarity))
    return sorted(found)


def _signatures(words: Sequence[str]) -> NDArray[np.uint32]:
    """Return one MinHash signature per normalised text, shape (texts, PERMUTATIONS)."""
    import numpy as np
    from rensa import RMinHash

    blocks = []
    for start in range(0, len(words), BLOCK_TEXTS):
        hashes, offsets = _hashed_shingles(words[start : start + BLOCK_TEXTS])
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, PERMUTATIONS, 42)
        blocks.append(np.array(matrix.to_rows(), dtype=np.uint32))
    return np.concatenate(blocks)


def _hashed_shingles(words: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return a 64-bit hash of each shingle, repeats too, text after text, and where each begins."""
    import numpy as np

    pad = "\0" * SHINGLE_CHARS  # a text without a word still has one shingle, all of it padding
    joined = pad.join(words) + pad
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter((len(text) for text in words), np.int64, len(words))
    counts = np.maximum(1, lengths - SHINGLE_CHARS + 1)
    begins = np.concatenate(([0], np.cumsum(lengths + len(pad))[:-1]))
    offsets = np.concatenate(([0], np.cumsum(counts)))
    # Hash the window at every position, then take those that lie within one text. A code point has
    # 21 bits: three fill a word of 63, the fourth is mixed in.
    wide = points.astype(np.uint64)
    hashes = wide[:-3] | wide[1:-2] << np.uint64(21) | wide[2:-1] << np.uint64(42)
    hashes ^= wide[3:] * np.uint64(0x9E3779B97F4A7C15)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(32)
    at = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], counts)
    return hashes[at], offsets.astype(np.uint64)


def _candidates(signatures: NDArray[np.uint32], threshold: float) -> Iterator[tuple[int, int]]:
    """Yield pairs that share a band and whose signatures agree nearly as often as needed."""
    import numpy as np

    texts = len(signatures)
    seen = np.empty(0, np.int64)
    rows = PERMUTATIONS // BANDS
    for band in range(BANDS):
        keys = np.zeros(texts, np.uint64)
        for column in range(band * rows, (band + 1) * rows):
            keys = (keys ^ signatures[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(31)
        fresh = [
            kept[~np.isin(kept, seen)]
            for pairs in _same_key(keys)
            if len(kept := _likely(pairs, signatures, threshold))
        ]
        if fresh:
            seen = np.concatenate([seen, *fresh])
            for code in np.concatenate(fresh).tolist():
                yield divmod(code, texts)


def _same_key(keys: NDArray[np.uint64]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield blocks of (left, right) positions that have the same key, left < right."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    # Neighbours at distance 1, then 2, ... in the sorted keys: each pair of a run comes up once.
    at = np.arange(len(keys))
    distance = 0
    while True:
        distance += 1
        at = at[at + distance < len(keys)]
        at = at[ordered[at] == ordered[at + distance]]
        if not len(at):
            return
        for start in range(0, len(at), BLOCK_PAIRS):
            here = at[start : start + BLOCK_PAIRS]
            yield order[here], order[here + distance]


def _likely(
    pairs: tuple[NDArray[Any], NDArray[Any]], signatures: NDArray[np.uint32], threshold: float
) -> NDArray[np.int64]:
    """Return left * texts + right of the pairs whose estimated similarity is near `threshold`."""
    left, right = pairs
    agreed = (signatures[left] == signatures[right]).mean(axis=1)
    likely = agreed >= threshold - ESTIMATE_SLACK
    codes: NDArray[np.int64] = left[likely].astype("int64") * len(signatures) + right[likely]
    return codes


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Return the share of shingles that two sets have in common, 0 to 1."""
    common = len(left & right)
    return common / (len(left) + len(right) - common)


class Groups:
    """Disjoint groups of names that must stay together (union-find)."""

    def __init__(self, names: Iterable[str]) -> None:
        self._parent = {name: name for name in names}

    def find(self, name: str) -> str:
        """Return the name that stands for the group of `name`."""
        root = name
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[name] != root:
            self._parent[name], name = root, self._parent[name]
        return root

    def join(self, left: str, right: str) -> None:
        """Put two groups together; the smaller name stands for both."""
        first, second = sorted((self.find(left), self.find(right)))
        self._parent[second] = first
