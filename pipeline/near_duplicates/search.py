"""The search for near-duplicates: candidates are thinned, verified, and no more than needed.

Candidates are thinned by their signatures before any shingle is looked at: only what is likely to
be a pair pays for the exact check. A text that has PARTNERS near-duplicates is crowded: two
crowded texts of one cluster are not compared, so that n like texts cost about n checks, not n².
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.near_duplicates.buckets import pairs_of_band
from pipeline.near_duplicates.groups import Clusters
from pipeline.near_duplicates.shingles import Likeness, normalise
from pipeline.near_duplicates.signatures import BANDS, band_keys, likely, signatures_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARTNERS = 32


@dataclass(frozen=True, order=True)
class NearDuplicate:
    """Two positions in the input, `left` < `right`, and the exact Jaccard similarity, 0 to 1."""

    left: int
    right: int
    similarity: float


def near_duplicates(
    texts: Sequence[str], *, threshold: float, sides: Sequence[Hashable] | None = None
) -> list[NearDuplicate]:
    """Return the pairs of `texts` at or above `threshold`, sorted by position.

    These are all pairs, as long as no text is in PARTNERS of them. Of two crowded texts a pair is
    there only if it is the nearest of either, or holds their cluster together: the nearest text of
    each that was compared, and who is in one cluster with whom, can always be told.
    With `sides`, one per text, only pairs of texts with different sides count.

    Texts that are equal once normalised have similarity 1. The same input gives the same pairs:
    the hash functions have a fixed seed and every pair is verified exactly.
    """
    import numpy as np

    if len(texts) < 2:
        return []
    number_of: dict[Hashable, int] = {}
    side = None
    if sides is not None:
        side = np.array([number_of.setdefault(name, len(number_of)) for name in sides])
    words = [normalise(text) for text in texts]
    signatures = signatures_of(words)
    keys = band_keys(signatures)
    search = _Search(words, signatures, threshold)
    for band in range(BANDS):
        for left, right in pairs_of_band(keys, band, side):
            search.look_at(left, right)
        search.close_band()
    return search.pairs()


class _Search:
    """What was verified so far, and who is in one cluster.

    A pair is one number, `left * texts + right`.
    """

    def __init__(
        self, words: Sequence[str], signatures: NDArray[np.uint32], threshold: float
    ) -> None:
        import numpy as np

        self._signatures, self._threshold = signatures, threshold
        self._low_bytes = signatures.astype(np.uint8)
        self._likeness = Likeness(words)
        self._partners = np.zeros(len(words), np.int64)
        self._clusters = Clusters(len(words))
        self._seen = np.empty(0, np.int64)  # in order
        self._fresh: list[NDArray[np.int64]] = []
        self._found = [np.empty(0, np.int64)]
        self._similarities = [np.empty(0)]
        self._joining = [np.empty(0, np.bool_)]

    def look_at(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        """Verify those of a block of pairs that are likely, new and worth it."""
        import numpy as np

        same = self._clusters.of[left] == self._clusters.of[right]
        worth = ~(self._both_crowded(left, right) & same)
        left, right = left[worth], right[worth]
        near = likely(left, right, self._signatures, self._low_bytes, self._threshold)
        codes = left[near] * len(self._signatures) + right[near]
        codes = codes[~_is_in(codes, self._seen)]
        if not len(codes):
            return
        self._fresh.append(codes)
        similarities = self._likeness.of(*self._positions(codes))
        alike = similarities >= self._threshold
        left, right = self._positions(codes[alike])
        self._found.append(codes[alike])
        self._similarities.append(similarities[alike])
        self._joining.append(self._clusters.join_all(left, right))
        np.add.at(self._partners, np.concatenate([left, right]), 1)

    def close_band(self) -> None:
        """Remember what this band brought; within one, no pair comes up twice."""
        import numpy as np

        if self._fresh:
            self._seen = np.sort(np.concatenate([self._seen, *self._fresh]), kind="stable")
            self._fresh = []

    def pairs(self) -> list[NearDuplicate]:
        """Return the pairs that say all that is known, in order."""
        import numpy as np

        codes = np.concatenate(self._found)
        order = np.argsort(codes)
        similarities = np.concatenate(self._similarities)[order]
        left, right = self._positions(codes[order])
        wanted = np.concatenate(self._joining)[order]
        wanted |= ~self._both_crowded(left, right)
        wanted |= _is_nearest(left, right, similarities)
        told = (left[wanted].tolist(), right[wanted].tolist(), similarities[wanted].tolist())
        return [NearDuplicate(*pair) for pair in zip(*told, strict=True)]

    def _both_crowded(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        both: NDArray[np.bool_] = (self._partners[left] >= PARTNERS) & (
            self._partners[right] >= PARTNERS
        )
        return both

    def _positions(self, codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return codes // len(self._signatures), codes % len(self._signatures)


def _is_in(codes: NDArray[np.int64], ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of `codes` are in `ordered`."""
    import numpy as np

    if not len(ordered):
        return np.zeros(len(codes), np.bool_)
    places = np.minimum(np.searchsorted(ordered, codes), len(ordered) - 1)
    found: NDArray[np.bool_] = ordered[places] == codes
    return found


def _is_nearest(
    left: NDArray[np.int64], right: NDArray[np.int64], similarities: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which pairs are the nearest of one of their texts; of equals the first."""
    import numpy as np

    text, other = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.lexsort((other, -np.tile(similarities, 2), text))
    first = np.flatnonzero(np.diff(text[order], prepend=-1))
    nearest = np.zeros(len(left), np.bool_)
    nearest[order[first] % max(1, len(left))] = True
    return nearest
