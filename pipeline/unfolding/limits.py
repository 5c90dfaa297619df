"""The limits, and the error for what is over them."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import TableError

# Of one batch, decoded and as Python's values: what a reader holds at a time.
BATCH_BYTES = 64 * 1024**2
# Of what cannot be cut smaller: a row, a page, a JSON document.
PIECE_BYTES = 1024**3
# A file may unfold to more than PIECE_BYTES in all, but not to so many times its size.
MAX_RATIO = 1000
# Deeper values break those who walk them: Python's own limit is near 1,000 calls.
MAX_DEPTH = 100


class TooDeepError(ValueError):
    """A value is nested deeper than MAX_DEPTH."""

    def __init__(self) -> None:
        super().__init__(f"nested deeper than {MAX_DEPTH} levels")


def too_large(path: Path, what: str, size: int, limit: int = PIECE_BYTES) -> TableError:
    """Return the error for a piece of `path` that would unfold to `size` bytes."""
    return TableError(
        path,
        f"{what} unfolds to {size / 1024**2:,.0f} MiB, at most {limit / 1024**2:,.0f} are read",
        hint="Write it again in smaller pieces, or split the file.",
    )
