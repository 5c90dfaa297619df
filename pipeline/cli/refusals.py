"""What the machine refuses, wherever it surfaces: one message, not a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import REFUSALS, TargetError


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Raise TargetError for a full or read-only disk, or a path that cannot be used.

    Any other OSError is a bug of ours and stays as it is.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        named = error.filename2 or error.filename
        raise TargetError.of(Path(str(named)) if named else Path.cwd(), error) from error
