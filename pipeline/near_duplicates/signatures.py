"""MinHash signatures: how often two of them agree estimates how alike two texts are.

Shingles are hashed for a whole block of texts at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.near_duplicates.shingles import SHINGLE_CHARS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# 48 bands of 4 rows make a pair of Jaccard 0.6 a candidate in 99.9% of cases, one of 0.5 in 95%.
PERMUTATIONS = 192
BANDS = 48
# Four standard errors of the signature's estimate at Jaccard 0.5: a pair so far below the
# threshold by signature is above it in truth once in 30,000 times.
ESTIMATE_SLACK = 4 * 0.5 / PERMUTATIONS**0.5
BLOCK_CHARS = 262_144


def signatures_of(words: Sequence[str]) -> NDArray[np.uint32]:
    """Return one MinHash signature per normalised text, shape (texts, PERMUTATIONS)."""
    import numpy as np
    from rensa import RMinHash

    blocks = []
    for block in _blocks(words):
        hashes, offsets = _hashed_shingles(block)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, PERMUTATIONS, 42)
        blocks.append(np.array(matrix.to_rows(), dtype=np.uint32))
    return np.concatenate(blocks)


def band_keys(signatures: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return one key per band and text, shape (BANDS, texts): equal where the band's rows are."""
    import numpy as np

    rows = PERMUTATIONS // BANDS
    keys = np.zeros((BANDS, len(signatures)), np.uint64)
    for band in range(BANDS):
        for column in range(band * rows, (band + 1) * rows):
            keys[band] = (keys[band] ^ signatures[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            keys[band] ^= keys[band] >> np.uint64(31)
    return keys


def likely(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    signatures: NDArray[np.uint32],
    low_bytes: NDArray[np.uint8],
    threshold: float,
) -> NDArray[np.bool_]:
    """Return which pairs have an estimated similarity near `threshold` or above.

    `low_bytes` are those of `signatures`: where they differ the signatures do, and they are
    compared several times as fast.
    """
    import numpy as np

    least = threshold - ESTIMATE_SLACK
    agreed = low_bytes[left] == low_bytes[right]
    near: NDArray[np.bool_] = (
        agreed.view(np.uint8).sum(axis=1, dtype=np.uint8) / PERMUTATIONS >= least
    )
    at = np.flatnonzero(near)
    near[at] = (signatures[left[at]] == signatures[right[at]]).mean(axis=1) >= least
    return near


def _blocks(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield runs of texts of at most BLOCK_CHARS, or of one text."""
    start, held = 0, 0
    for position, text in enumerate(words):
        size = len(text) + SHINGLE_CHARS
        if held and held + size > BLOCK_CHARS:
            yield words[start:position]
            start, held = position, 0
        held += size
    yield words[start:]


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
