"""The id of a row of an exported file, wherever the row or the file went."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.errors import RowError, TableError
from pipeline.names import as_written
from pipeline.sources.rows import iter_csv, iter_parquet
from pipeline.storage import iter_json_lines
from pipeline.unfolding.json_text import parse_json

_PLACE = re.compile(r"(?P<file>.+):(?P<row>[1-9][0-9]*)")
# No file has as many rows as a number of more digits says.
_MAX_DIGITS = 18
NO_ID = "Give the id itself, or put the export's .ids.jsonl files into the folder of the file."


def row_id_of(argument: str) -> str:
    """Return `argument`, or the id of the row that it names as FILE:ROW, rows counted from 1.

    A row without an id is found by the hash of its line in the `*.ids.jsonl` files beside it.
    Raises RowError or TableError if there is no such row, and RowError if nothing says its id.
    """
    place = _PLACE.fullmatch(argument)
    if place is None or not (path := Path(place["file"])).is_file():
        return argument
    if len(place["row"]) > _MAX_DIGITS:
        problem = f"there is no row {as_written(place['row'])}"
        raise TableError(path, problem, hint="Rows are counted from 1.")
    number = int(place["row"])
    if path.suffix == ".parquet":
        return _named(path, number, _nth(iter_parquet(path, ["id"]), number))
    if path.suffix in (".csv", ".tsv"):
        return _named(path, number, _nth(iter_csv(path, ["id"]), number))
    with path.open("rb") as stream:
        line = next(islice(stream, number - 1, None), b"").rstrip(b"\r\n")
    if not line:
        return _named(path, number, None)
    try:
        row = parse_json(path, line)
    except ValueError as error:
        raise RowError(
            path, number, f"not JSON ({error})", hint="Name a row of an export."
        ) from error
    if isinstance(row, dict) and "id" in row:
        return str(row["id"])
    return _by_hash(path, number, hashlib.sha256(line).hexdigest())


def _nth(rows: Iterator[tuple[int, dict[str, Any]]], number: int) -> dict[str, Any] | None:
    return next((values for at, values in rows if at == number), None)


def _named(path: Path, number: int, row: dict[str, Any] | None) -> str:
    if row is None:
        raise RowError(path, number, "the file has no such row", hint="Rows are counted from 1.")
    return str(row["id"])


def _by_hash(path: Path, number: int, digest: str) -> str:
    files = sorted(path.absolute().parent.glob("*.ids.jsonl"))
    for file in files:
        for _, one in iter_json_lines(file):
            if one.get("sha256") == digest:
                return str(one["id"])
    searched = ", ".join(file.name for file in files) or "no .ids.jsonl beside it"
    raise RowError(path, number, f"it has no id, and none is known of it ({searched})", hint=NO_ID)
