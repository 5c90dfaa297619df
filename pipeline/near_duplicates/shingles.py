"""What texts are compared by: the 4-character shingles of their words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHINGLE_CHARS = 4
# Shingles of one block of pairs: what they take is bounded however long the texts are.
BLOCK_SHINGLES = 4_000_000
_NOT_A_WORD = re.compile(r"\W+")


def normalise(text: str) -> str:
    """Return the words of `text` in lower case, joined by single blanks."""
    return _NOT_A_WORD.sub(" ", text.casefold()).strip()


def shingles(text: str) -> frozenset[str]:
    """Return the character 4-grams of the normalised text; a shorter text is one shingle."""
    return _shingles_of(normalise(text))


def _shingles_of(words: str) -> frozenset[str]:
    last = max(1, len(words) - SHINGLE_CHARS + 1)
    return frozenset([words[start : start + SHINGLE_CHARS] for start in range(last)])


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Return the share of shingles that two sets have in common, 0 to 1."""
    common = len(left & right)
    return common / (len(left) + len(right) - common)


class Likeness:
    """Exact Jaccard similarity of pairs of normalised texts, many pairs at once.

    A shingle is a number, the same in all texts, so that a text takes four bytes a shingle.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._number_of: dict[str, int] = {}
        self._sorted: dict[int, NDArray[np.int32]] = {}

    def of(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the similarity of each `left` position to the `right` one beside it, 0 to 1."""
        import numpy as np

        ours = [self._numbers(position) for position in left.tolist()]
        theirs = [self._numbers(position) for position in right.tolist()]
        sizes = np.array([len(one) + len(other) for one, other in zip(ours, theirs, strict=True)])
        common = np.concatenate(
            [
                np.empty(0, np.int64),
                *(_common(ours[block], theirs[block]) for block in _blocks(sizes)),
            ]
        )
        similarities: NDArray[np.float64] = common / (sizes - common)
        return similarities

    def _numbers(self, position: int) -> NDArray[np.int32]:
        """Return the numbers of the shingles of a text, in order."""
        import numpy as np

        if position not in self._sorted:
            known = self._number_of
            numbers = [
                known.setdefault(shingle, len(known))
                for shingle in _shingles_of(self._words[position])
            ]
            self._sorted[position] = np.sort(np.array(numbers, np.int32))
        return self._sorted[position]


def _blocks(sizes: NDArray[np.int64]) -> Iterator[slice]:
    """Yield slices of at most BLOCK_SHINGLES, or of one pair."""
    start, held = 0, 0
    for place, size in enumerate(sizes.tolist()):
        if held and held + size > BLOCK_SHINGLES:
            yield slice(start, place)
            start, held = place, 0
        held += size
    if held:
        yield slice(start, len(sizes))


def _common(
    ours: Sequence[NDArray[np.int32]], theirs: Sequence[NDArray[np.int32]]
) -> NDArray[np.int64]:
    """Return how many numbers each of `ours` shares with the one of `theirs` beside it."""
    import numpy as np

    keys = np.concatenate([_keys(ours), _keys(theirs)])
    keys.sort(kind="stable")  # two runs, each in order: a merge
    twice = keys[1:][keys[1:] == keys[:-1]] >> 32
    return np.bincount(twice, minlength=len(ours))


def _keys(numbers: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
    """Return the place in `numbers` in the upper half of each key, the number in the lower."""
    import numpy as np

    places = np.repeat(np.arange(len(numbers)), [len(one) for one in numbers])
    return places << 32 | np.concatenate(numbers)
