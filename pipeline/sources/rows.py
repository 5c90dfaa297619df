"""Rows of a raw CSV, JSON Lines or Parquet file, one at a time, with their numbers.

Each reader yields (row, values): data rows are counted from 1. What is wrong with a file is said
with its row; nothing is guessed, and a file that ends in the middle of a row is an error.
"""

from __future__ import annotations

import csv
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import MissingFileError, RowError, TableError
from pipeline.storage import BATCH_ROWS, iter_json_lines, open_parquet
from pipeline.unfolding.json_text import text_lines

MAX_FIELD_BYTES = 64 * 1024 * 1024
WHOLE = "The file may be cut short or damaged: get it again, or mend that row."

Row = tuple[int, dict[str, Any]]


def iter_rows(path: Path, columns: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a .csv, .tsv, .jsonl or .parquet file that must have `columns`."""
    readers = {
        ".csv": iter_csv,
        ".tsv": iter_csv,
        ".jsonl": _iter_jsonl,
        ".ndjson": _iter_jsonl,
        ".parquet": iter_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TableError(
            path,
            f"files of type {path.suffix or '(no ending)'} are not read",
            hint=f"Use one of: {', '.join(readers)}",
        )
    return reader(path, tuple(columns))


def column_names(path: Path) -> list[str]:
    """Return the column names of a table, from its header, its schema or its first line."""
    if path.suffix.lower() == ".parquet":
        return list(open_parquet(path).schema_arrow.names)
    first = next(iter_rows(path, ()), None)
    if first is None:
        raise TableError(path, "there is no row in it", hint="A table with rows is needed.")
    return list(first[1])


def iter_csv(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a UTF-8 CSV file with a header line."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path.")
    with path.open("rb") as stream:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        yield from csv_rows(stream, path, columns, delimiter=delimiter)


def csv_rows(
    stream: BinaryIO,
    path: Path,
    columns: Sequence[str],
    *,
    delimiter: str = ",",
    quoted: bool = True,
) -> Iterator[Row]:
    """Yield the rows of an open CSV file; `quoted=False` takes quotation marks as plain text."""
    csv.field_size_limit(MAX_FIELD_BYTES)
    lines = csv.reader(
        _decoded(stream, path),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=quoted,
    )
    row = 0
    try:
        header = next(lines, None)
        if not header:
            raise TableError(path, "the file is empty", hint="A header line is needed.")
        check_columns(path, header, columns)
        for row, fields in enumerate(lines, start=1):
            if not fields:
                continue
            if len(fields) != len(header):
                raise RowError(
                    path,
                    row,
                    f"{len(fields)} fields where the header has {len(header)}",
                    hint=WHOLE,
                )
            yield row, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise RowError(path, row + 1, f"not CSV ({error})", hint=WHOLE) from error


def iter_text_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 text file, each with its end."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path.")
    with path.open("rb") as stream:
        yield from _decoded(stream, path)


def _decoded(stream: BinaryIO, path: Path) -> Iterator[str]:
    for number, line in enumerate(text_lines(path, stream), start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise TableError(
                path,
                f"line {number} is not UTF-8 text (byte {error.start + 1} of the line)",
                hint="Save the file as UTF-8 and try again.",
            ) from error
        yield text


def _iter_jsonl(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    for row, values in iter_json_lines(path):
        missing = [name for name in columns if name not in values]
        if missing:
            raise RowError(
                path, row, f"no field {', '.join(missing)}", hint=_near(missing[0], values)
            )
        yield row, values


def iter_parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a Parquet file, a batch at a time."""
    file = open_parquet(path)
    check_columns(path, file.schema_arrow.names, columns)
    yield from enumerate(file.rows(BATCH_ROWS, list(columns)), start=1)


def check_columns(path: Path, found: Sequence[str], needed: Iterable[str]) -> None:
    """Raise TableError unless the needed columns are there, each once."""
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise TableError(
            path, f"column {', '.join(twice)} is there twice", hint="Rename or drop one of them."
        )
    missing = [name for name in needed if name not in found]
    if missing:
        raise TableError(path, f"no column {', '.join(missing)}", hint=_near(missing[0], found))


def _near(name: str, found: Iterable[str]) -> str:
    names = list(found)
    close = difflib.get_close_matches(name, names, n=1)
    guess = f"Was {close[0]!r} meant? " if close else ""
    return f"{guess}The file has: {', '.join(names)}"
