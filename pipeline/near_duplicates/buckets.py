"""Which texts of a bucket are compared: all pairs of a small one, neighbours in a large one.

A bucket holds the texts that have one key in a band. That of n like texts, or of n texts with a
common part, holds n² pairs: there each text meets its neighbours alone. They stand in order of
their keys in the bands that follow, so that those which are most alike stand together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALL_BUCKET = 256
NEIGHBOURS = 4
ORDER_BANDS = 8
BLOCK_PAIRS = 16_384


def pairs_of_band(
    keys: NDArray[np.uint64], band: int, sides: NDArray[np.int64] | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield blocks of (left, right) positions, left < right, that share a bucket of `band`.

    `keys` has shape (bands, texts). With `sides` only pairs of two sides come up, and in a large
    bucket each text meets the nearest before it and after it that is of another side.
    """
    import numpy as np

    order = np.argsort(keys[band], kind="stable")
    ordered = keys[band][order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.append(starts, len(order)))
    size = np.repeat(sizes, sizes)
    for run in np.flatnonzero(sizes > SMALL_BUCKET).tolist():
        here = slice(starts[run], starts[run] + sizes[run])
        order[here] = _likest_together(keys, band, order[here])
    for one, other in _places(ordered, size):
        yield from _blocks(order[one], order[other], sides)
    if sides is not None:
        bucket = np.repeat(np.arange(len(starts)), sizes)
        for one, other in _nearest_of_another_side(bucket, sides[order], size > SMALL_BUCKET):
            yield from _blocks(order[one], order[other], sides)


def _likest_together(
    keys: NDArray[np.uint64], band: int, positions: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return `positions` in order of their keys in the bands after `band`, then of position."""
    import numpy as np

    bands = [(band + step) % len(keys) for step in range(ORDER_BANDS, 0, -1)]
    return positions[np.lexsort([keys[after, positions] for after in bands])]


def _places(
    ordered: NDArray[np.uint64], size: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield places in `ordered` that hold one key: at distance 1, then 2, …, each pair once."""
    import numpy as np

    at = np.arange(len(ordered))
    distance = 0
    while len(at):
        distance += 1
        if distance == NEIGHBOURS + 1:
            at = at[size[at] <= SMALL_BUCKET]
        at = at[at + distance < len(ordered)]
        at = at[ordered[at] == ordered[at + distance]]
        yield at, at + distance


def _nearest_of_another_side(
    bucket: NDArray[np.int64], side: NDArray[np.int64], large: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the places of `large` buckets, and the next place and the last of another side.

    Neighbours are left out: they have met.
    """
    import numpy as np

    changes = (bucket[1:] != bucket[:-1]) | (side[1:] != side[:-1])
    run = np.concatenate(([0], np.cumsum(changes)))
    begins = np.concatenate(([0], np.flatnonzero(changes) + 1, [len(side)]))
    at = np.flatnonzero(large)
    for across in (begins[run[at] + 1], begins[run[at]] - 1):
        there = (across >= 0) & (across < len(side)) & (abs(across - at) > NEIGHBOURS)
        one, other = at[there], across[there]
        same = bucket[one] == bucket[other]
        yield one[same], other[same]


def _blocks(
    one: NDArray[np.int64], other: NDArray[np.int64], sides: NDArray[np.int64] | None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    import numpy as np

    if sides is not None:
        across = sides[one] != sides[other]
        one, other = one[across], other[across]
    for start in range(0, len(one), BLOCK_PAIRS):
        block = slice(start, start + BLOCK_PAIRS)
        yield np.minimum(one[block], other[block]), np.maximum(one[block], other[block])
