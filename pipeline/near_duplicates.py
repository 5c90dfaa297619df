"""Texts that say nearly the same: MinHash candidates, verified by exact Jaccard similarity."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHINGLE_CHARS = 4
PERMUTATIONS = 128
# Rows per band: 32 bands of 4 make a pair of Jaccard 0.6 a candidate in 99% of cases.
BANDS = 32
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
    words = normalise(text)
    last = max(1, len(words) - SHINGLE_CHARS + 1)
    return frozenset(words[start : start + SHINGLE_CHARS] for start in range(last))


def near_duplicates(texts: Sequence[str], *, threshold: float) -> list[NearDuplicate]:
    """Return all pairs of `texts` at or above `threshold`, sorted by position.

    Texts that are equal once normalised have similarity 1. The same input gives the same pairs:
    the hash functions have a fixed seed and every candidate is verified exactly.
    """
    from rensa import RMinHash, RMinHashLSH

    sets = [shingles(text) for text in texts]
    sketches = RMinHash.from_token_sets([list(one) for one in sets], PERMUTATIONS, 42)
    index = RMinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, num_bands=BANDS)
    index.insert_many(sketches)
    found = []
    for left, candidates in enumerate(index.query_all(sketches)):
        for right in candidates:
            if right > left:
                similarity = jaccard(sets[left], sets[right])
                if similarity >= threshold:
                    found.append(NearDuplicate(left, right, similarity))
    return sorted(found)


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
