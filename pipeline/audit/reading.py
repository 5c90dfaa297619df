"""Read any dataset file leniently: what cannot be read is noted, and the audit goes on.

`pipeline.sources` refuses a damaged file, because a corpus is built from it; an audit is asked
what is wrong with one. Only a file that is no table at all is an error here.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import MissingFileError, TableError
from pipeline.unfolding import parquet, sizes
from pipeline.unfolding.arrow_stream import stream_batches, stream_schema
from pipeline.unfolding.json_text import parse_json, text_lines
from pipeline.unfolding.parquet import DAMAGE

MAX_FILE_BYTES = 2 * 1024**3
# A small file may unfold to more than any memory: what its values take is counted.
MAX_UNFOLDED_BYTES = 2 * 1024**3
MAX_ROWS = 2_000_000
# More are no columns but a mapping: every row would bring its own.
MAX_COLUMNS = 1000
MAX_ROW_CHARS = 64 * 1024**2
_PACKED = {".gz", ".bz2", ".xz", ".zip", ".zst"}
# How gzip, bzip2, xz, zip and Zstandard files begin, whatever their names say.
_PACKED_STARTS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")
SPLIT_COLUMN = "split"
KINDS = ".csv, .tsv, .jsonl, .ndjson, .json, .parquet, .arrow or a Hugging Face dataset folder"
_SPLITS = ("train", "validation", "valid", "dev", "test")

# The names of columns, and rows.
Block = tuple[list[str], pa.RecordBatch]


@dataclass
class RawTable:
    """Columns of equal length, as read; `notes` say what was left out and why.

    While rows are added, a column is as long as its last value needs; `close` makes all equal.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    rows: int = 0
    notes: list[str] = field(default_factory=list)
    unfolded_bytes: int = 0
    left_out: int = 0
    _names: tuple[str, ...] = ()
    _targets: Sequence[MutableSequence[Any]] = ()

    def append(self, row: dict[str, Any], path: Path) -> None:
        """Add one row; columns that it lacks are None there."""
        self._aim_at(tuple(row))
        for column, value in zip(self._targets, row.values(), strict=True):
            column.append(value)
        self.rows += 1
        self.unfolded_bytes += sizes.of_cells(row.values())
        self.check_size(path)

    def extend(self, block: Mapping[str, list[Any]], size: int, path: Path) -> None:
        """Add rows that are columns of equal length already, of `size` bytes."""
        self._aim_at(tuple(block))
        for column, values in zip(self._targets, block.values(), strict=True):
            column.extend(values)
        self.rows += len(next(iter(block.values()), ()))
        self.unfolded_bytes += size
        self.check_size(path)

    def _aim_at(self, names: tuple[str, ...]) -> None:
        if names != self._names:
            self._names, self._targets = names, [self._target(name) for name in names]

    def _target(self, name: str) -> MutableSequence[Any]:
        """Return the column called `name`, filled up to this row; one too many keeps nothing."""
        column = self.columns.get(name)
        if column is None:
            if len(self.columns) == MAX_COLUMNS:
                self.left_out += 1
                return deque(maxlen=0)
            column = self.columns[name] = []
        column += [None] * (self.rows - len(column))
        return column

    def close(self, path: Path) -> None:
        """Fill up all columns; the table is complete."""
        self.unfolded_bytes += 8 * sum(self.rows - len(column) for column in self.columns.values())
        self.check_size(path)
        for column in self.columns.values():
            column.extend([None] * (self.rows - len(column)))
        if self.left_out:
            self.notes.append(
                f"over {MAX_COLUMNS:,} columns: what is in the others, such as "
                f"{self._names[-1][:60]!r}, was left out"
            )

    def check_size(self, path: Path, *, more_rows: int = 0) -> None:
        """Raise TableError if the rows, with `more_rows` to come, are too many or too large."""
        if self.unfolded_bytes > MAX_UNFOLDED_BYTES or self.rows + more_rows > MAX_ROWS:
            raise TableError(
                path,
                f"over {MAX_ROWS:,} rows or {MAX_UNFOLDED_BYTES // 1024**2:,} MiB of values",
                hint="Audit a part of it: split the file and audit each piece.",
            )


def read_raw(path: Path) -> RawTable:
    """Return the table at `path`; a folder's files are joined, each as its split.

    Raises MissingFileError and TableError: unreadable, empty, too large or of no known kind.
    """
    if path.is_dir():
        return _read_folder(path)
    table = RawTable()
    read_file(path, table)
    return _checked(table, path)


def _checked(table: RawTable, path: Path) -> RawTable:
    table.close(path)
    if not table.rows or not table.columns:
        why = f" ({table.notes[0]})" if table.notes else ""
        raise TableError(path, f"no rows{why}", hint="There is nothing to audit in it.")
    for name, values in list(table.columns.items()):
        if all(value is None or value == "" for value in values):
            table.notes.append(f"column {name!r} is empty in every row")
    return table


def read_file(path: Path, table: RawTable, *, split: str | None = None) -> None:
    """Append the rows of one file to `table`, with `split` in a column of its own if given."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path.")
    size = path.stat().st_size
    if size == 0:
        raise TableError(path, "the file is empty", hint="Check the path.")
    if size > MAX_FILE_BYTES:
        raise TableError(
            path,
            f"{size / 1024**3:.1f} GiB, at most {MAX_FILE_BYTES // 1024**3} are read",
            hint="Audit a part of it: split the file and audit each piece.",
        )
    by_row: dict[str, Callable[[Path, RawTable], Iterator[dict[str, Any]]]] = {
        ".csv": _csv_rows,
        ".tsv": _csv_rows,
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".json": _json_document,
    }
    by_block = {".parquet": _parquet_blocks, ".arrow": _arrow_blocks}
    kind = path.suffix.lower()
    if kind not in by_row and kind not in by_block:
        hint = "Unpack it first." if kind in _PACKED else f"Use {KINDS}."
        raise TableError(
            path, f"files of type {path.suffix or '(no ending)'} are not read", hint=hint
        )
    try:
        with path.open("rb") as stream:
            if stream.read(6).startswith(_PACKED_STARTS):
                raise TableError(path, "is a compressed file", hint="Unpack it first.")
        if kind in by_row:
            for row in by_row[kind](path, table):
                table.append(row if split is None else {SPLIT_COLUMN: split, **row}, path)
        else:
            for names, batch in by_block[kind](path, table):
                # Rows without a column take no byte in the file, however many it says there are.
                table.check_size(path, more_rows=batch.num_rows)
                columns = [_decoded(column) for column in batch.columns]
                block = dict(zip(names, columns, strict=True))
                size = sum(map(sizes.of_decoded, batch.columns, columns))
                if split is not None:
                    block = {SPLIT_COLUMN: [split] * batch.num_rows, **block}
                table.extend(block, size, path)
    except (*DAMAGE, csv.Error) as error:
        if not table.rows:
            problem = f"cannot be read ({' '.join(str(error).split())[:200]})"
            raise TableError(path, problem, hint="It may be damaged or of another kind.") from error
        table.notes.append(f"{path.name}: damaged after row {table.rows - 1}: the rest is missing")


def _csv_rows(path: Path, table: RawTable) -> Iterator[dict[str, Any]]:
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
        header = _unique(next(lines, []), table)
        ragged = _Rows()
        row = 0
        for fields in lines:
            source.chars = 0
            if not fields:
                continue
            if len(fields) != len(header):
                ragged.add(row)
            yield dict(zip(header, fields, strict=False))
            row += 1
        ragged.note(table, f"{path.name}: not as many fields as the header")


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


def _unique(header: list[str], table: RawTable) -> list[str]:
    seen: Counter[str] = Counter()
    names: list[str] = []
    for position, given in enumerate(header):
        name = given.strip() or f"column_{position}"
        seen[name] += 1
        if seen[name] > 1:
            if len(table.notes) < MAX_COLUMNS:
                table.notes.append(f"column {name!r} is there twice: read as '{name}.{seen[name]}'")
            name = f"{name}.{seen[name]}"
        names.append(name)
    return names


def _json_lines(path: Path, table: RawTable) -> Iterator[dict[str, Any]]:
    bad = _Rows()
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
                yield row
            else:
                bad.add(number)
    bad.note(table, f"{path.name}: not a JSON object, left out, line (from 0)")


def _json_document(path: Path, table: RawTable) -> Iterator[dict[str, Any]]:
    try:
        document = parse_json(path, path.read_bytes(), errors="replace")
    except ValueError:
        yield from _json_lines(path, table)
        return
    rows = rows_of_document(document)
    if not isinstance(rows, list):
        raise TableError(path, "not a list of objects", hint="Each row must be a JSON object.")
    yield from (row for row in rows if isinstance(row, dict))


def rows_of_document(document: Any) -> Any:
    """Return the list of a JSON document that holds its rows: itself, or that of its only list."""
    if not isinstance(document, dict):
        return document
    lists = [value for value in document.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else [document]


def _parquet_blocks(path: Path, table: RawTable) -> Iterator[Block]:
    names = _unique(list(pq.read_schema(path).names), table)
    for batch in parquet.batches(path, rows=2048):
        yield names, batch


def _arrow_blocks(path: Path, table: RawTable) -> Iterator[Block]:
    names = _unique(list(stream_schema(path).names), table)
    for batch in stream_batches(path):
        yield names, batch


def _decoded(column: pa.Array) -> list[Any]:
    kind = column.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    try:
        if is_text or (is_number and not column.null_count):
            return list(column.to_numpy(zero_copy_only=False).tolist())
        return list(column.to_pylist())
    except (UnicodeDecodeError, pa.ArrowException):  # Parquet does not check that it is UTF-8
        return [
            None if value is None else value.decode("utf-8", "replace")
            for value in column.cast(pa.binary()).to_pylist()
        ]


def _read_folder(folder: Path) -> RawTable:
    """Join the data files of a Hugging Face folder: `save_to_disk` output, or files by split."""
    table = RawTable()
    for path in data_files(folder):
        read_file(path, table, split=_split_of(path, folder))
    return _checked(table, folder)


def data_files(folder: Path) -> list[Path]:
    """Return the files of `folder` that hold rows, in the order in which they are read.

    Raises TableError if there are none.
    """
    kinds = (".parquet", ".arrow", ".jsonl", ".csv", ".tsv", ".json")
    described = {"dataset_info.json", "state.json", "dataset_dict.json"}
    files = [path for path in sorted(folder.rglob("*")) if path.name not in described]
    for kind in kinds:
        chosen = [
            path
            for path in files
            if path.suffix == kind and path.is_file() and not path.name.startswith((".", "cache-"))
        ]
        if chosen:
            return chosen
    raise TableError(folder, "no data file in this folder", hint=f"Use {KINDS}.")


def _split_of(path: Path, folder: Path) -> str | None:
    inside = path.relative_to(folder)
    for part in (inside.stem, *inside.parts[:-1]):
        for split in _SPLITS:
            if part == split or part.startswith((f"{split}-", f"{split}_", f"{split}.")):
                return split
    return None


class _Rows:
    """Numbers of rows to say something about: the first five, and how many more."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._more = 0

    def add(self, row: int) -> None:
        """Add a row."""
        if len(self._first) < 5:
            self._first.append(row)
        else:
            self._more += 1

    def note(self, table: RawTable, what: str) -> None:
        """Note `what` of these rows, if there are any."""
        if self._first:
            more = f" and {self._more} more" if self._more else ""
            table.notes.append(f"{what}: {', '.join(map(str, self._first))}{more}")
