"""JSON that is neither too large nor too deep once it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import TableError
from pipeline.unfolding import sizes
from pipeline.unfolding.limits import MAX_DEPTH, PIECE_BYTES, TooDeepError, too_large

MAX_LINE_BYTES = 64 * 1024**2
_SMALL = 1024**2


def parse_json(path: Path, text: bytes, *, errors: str = "strict") -> Any:
    """Return the value of a JSON text.

    Raises ValueError for what is not JSON, not UTF-8 (unless `errors` says what to do) or nested
    too deeply, and TableError for what would take over PIECE_BYTES.
    """
    if len(text) > _SMALL and (size := sizes.of_json(text)) > PIECE_BYTES:
        raise too_large(path, "a JSON text in it", size)
    try:
        value = json.loads(text.decode("utf-8-sig", errors))
        if text.count(b"[") + text.count(b"{") > MAX_DEPTH:
            sizes.of_cells([value])
    except RecursionError as error:
        raise TooDeepError from error
    return value


def text_lines(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; raises TableError for one that is over MAX_LINE_BYTES."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise TableError(
                path,
                f"line {number} is over {MAX_LINE_BYTES // 1024**2} MiB long",
                hint="Each line must be one row.",
            )
        yield line
