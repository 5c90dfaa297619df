"""Rows of CSV and JSON files, whatever is wrong with some of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.audit.raw_table import RawTable, RowNumbers, shown, unique_names
from pipeline.errors import TableError
from pipeline.unfolding.json_text import parse_json, text_lines

MAX_ROW_CHARS = 64 * 1024**2


def csv_rows(path: Path, table: RawTable) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV or TSV file; bytes that are no text become U+FFFD."""
    csv.field_size_limit(MAX_ROW_CHARS)
    with path.open("rb") as stream:
        start = stream.read(4096)
        stream.seek(0)
        utf16 = start[:2] in (b"\xff\xfe", b"\xfe\xff")
        encoding = "utf-16" if utf16 else "utf-8-sig"
        text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
        first = start.decode(encoding, "replace").split("\n")[0]
        delimiter = max(",\t;|", key=first.count) if path.suffix.lower() == ".csv" else "\t"
        source = _RowLines(text)
        lines = csv.reader(source, delimiter=delimiter)
        header = unique_names(next(lines, []), table)
        ragged = RowNumbers()
        row = 0
        for fields in lines:
            source.chars = 0
            if not fields:
                continue
            if len(fields) != len(header):
                ragged.add(row)
            yield dict(zip(header, fields, strict=False))
            row += 1
        ragged.note(table, f"{shown(path.name)}: not as many fields as the header")


class _RowLines:
    """The lines of a CSV file; a row, which may go on over lines, has at most MAX_ROW_CHARS."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.chars = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(MAX_ROW_CHARS + 1):
            self.chars += len(line)
            if self.chars > MAX_ROW_CHARS:
                raise csv.Error(f"a row of over {MAX_ROW_CHARS:,} characters")
            yield line


def json_lines(path: Path, table: RawTable) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file; lines that are none are noted."""
    bad = RowNumbers()
    with path.open("rb") as stream:
        for number, line in enumerate(text_lines(path, stream)):
            if not line.strip():
                continue
            try:
                row = parse_json(path, line, errors="replace")
            except ValueError:
                bad.add(number)
                continue
            if isinstance(row, dict):
                yield _named(row)
            else:
                bad.add(number)
    bad.note(table, f"{shown(path.name)}: not a JSON object, left out, line (from 0)")


def json_document(path: Path, table: RawTable) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON file that holds a list of them."""
    try:
        document = parse_json(path, path.read_bytes(), errors="replace")
    except ValueError:
        yield from json_lines(path, table)
        return
    rows = rows_of_document(document)
    if not isinstance(rows, list):
        raise TableError(path, "not a list of objects", hint="Each row must be a JSON object.")
    yield from (_named(row) for row in rows if isinstance(row, dict))


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose names are text: half a character in one is written as its escape."""
    if all(map(str.isascii, row)):
        return row
    return {name.encode("utf-8", "backslashreplace").decode(): row[name] for name in row}


def rows_of_document(document: Any) -> Any:
    """Return the list of a JSON document that holds its rows: itself, or that of its only list."""
    if not isinstance(document, dict):
        return document
    lists = [value for value in document.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else [document]
