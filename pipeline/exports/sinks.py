"""Files that rows are written to, a batch at a time."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa

MAX_SHARD_BYTES = 500_000_000

Row = dict[str, Any]


@runtime_checkable
class Sink(Protocol):
    """Takes the rows of one kind and split."""

    rows: int

    def write(self, batch: pa.RecordBatch) -> None:
        """Add the rows of `batch`."""

    def close(self) -> list[Path]:
        """Finish the files and return them, in their order."""


class ParquetShards:
    """Parquet files as the Hub lays them out: `<stem>-00000-of-0000N.parquet`.

    A shard ends before it could pass `max_bytes`; `columns` makes the columns out of a batch.
    """

    def __init__(
        self,
        stem: Path,
        columns: Callable[[pa.RecordBatch], pa.Table],
        *,
        max_bytes: int = MAX_SHARD_BYTES,
    ) -> None:
        self.rows = 0
        self._stem = stem
        self._columns = columns
        self._max_bytes = max_bytes
        self._parts: list[Path] = []
        self._writer: Any = None
        self._stream: Any = None
        stem.parent.mkdir(parents=True, exist_ok=True)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add the rows of `batch` as a row group."""
        table = self._columns(batch)
        # On disk a row group is hardly ever larger than in memory.
        if self._stream is not None and self._stream.tell() + table.nbytes > self._max_bytes:
            self._end_shard()
        if self._stream is None:
            self._begin_shard(table.schema)
        self._writer.write_table(table)
        self.rows += table.num_rows

    def close(self) -> list[Path]:
        """Finish the last shard and give all their names, which say how many there are."""
        self._end_shard()
        count = len(self._parts)
        return [
            part.rename(self._stem.with_name(f"{self._stem.name}-{n:05}-of-{count:05}.parquet"))
            for n, part in enumerate(self._parts)
        ]

    def _begin_shard(self, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        part = self._stem.with_name(f"{self._stem.name}-{len(self._parts):05}.part")
        self._parts.append(part)
        self._stream = pa.OSFile(str(part), "wb")
        self._writer = pq.ParquetWriter(self._stream, schema, compression="zstd")

    def _end_shard(self) -> None:
        if self._stream is not None:
            self._writer.close()
            self._stream.close()
            self._stream = None


class JsonLines:
    """One JSON object a line; `line` makes it out of a row.

    With `max_bytes` a file ends before it could pass that size, and several files are numbered as
    the Hub numbers its shards; without, all lines are in one file. `with_ids` writes a second file
    beside each, for formats that forbid a key of their own: for each line, in the same order, the
    row's id and the SHA-256 of the line, by which a line is found again after a shuffle.
    """

    def __init__(
        self,
        path: Path,
        line: Callable[[Row], Row],
        *,
        with_ids: bool = False,
        max_bytes: int | None = None,
    ) -> None:
        self.rows = 0
        self._path = path
        self._line = line
        self._with_ids = with_ids
        self._max_bytes = max_bytes
        self._parts: list[Path] = []
        self._bytes = 0
        self._stream: BinaryIO | None = None
        self._ids: BinaryIO | None = None
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add the rows of `batch`."""
        for row in batch.to_pylist():
            text = json.dumps(self._line(row), ensure_ascii=False)
            self._add(row["id"], text, text.encode() + b"\n")

    def close(self) -> list[Path]:
        """Close the files and give all their names, which say how many there are."""
        self._end_file()
        count = len(self._parts)
        named = [self._path]
        if count > 1:
            stem, suffix = self._path.stem, self._path.suffix
            names = [f"{stem}-{n:05}-of-{count:05}{suffix}" for n in range(count)]
            named = [self._path.with_name(name) for name in names]
        closed = []
        for part, path in zip(self._parts, named, strict=True):
            if self._with_ids:
                closed.append(ids_file(part).rename(ids_file(path)))
            closed.append(part.rename(path))
        return sorted(closed, key=lambda path: (path.name.endswith(".ids.jsonl"), path.name))

    def _add(self, row_id: str, text: str, line: bytes) -> None:
        if self._max_bytes is not None and self._bytes + len(line) > self._max_bytes:
            self._end_file()
        stream = self._stream or self._begin_file()
        stream.write(line)
        self._bytes += len(line)
        if self._ids is not None:
            named = {"id": row_id, "sha256": line_sha256(text)}
            self._ids.write(json.dumps(named).encode() + b"\n")
        self.rows += 1

    def _begin_file(self) -> BinaryIO:
        part = self._path.with_name(f"{self._path.stem}-{len(self._parts):05}.part")
        self._parts.append(part)
        self._stream = part.open("wb")
        self._ids = ids_file(part).open("wb") if self._with_ids else None
        self._bytes = 0
        return self._stream

    def _end_file(self) -> None:
        for stream in (self._stream, self._ids):
            if stream is not None:
                stream.close()
        self._stream = self._ids = None


def ids_file(path: Path) -> Path:
    """Return the name of the file with the ids of the lines of `path`."""
    return path.with_name(f"{path.stem}.ids.jsonl")


def line_sha256(line: str) -> str:
    """Return the hash that stands for a line, without its end."""
    return hashlib.sha256(line.rstrip("\r\n").encode()).hexdigest()


# What a spreadsheet takes for the start of a formula, full-width signs included; an apostrophe
# before it makes it text. Cells that begin with an apostrophe get one more, so that taking one
# away always gives back what was there.
_FORMULA = tuple("=+-@\t\r\n'＝＋－＠")


def inert(value: object) -> str:
    """Return a cell that no spreadsheet evaluates; numbers stay as they are."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value


class Sheet:
    """A CSV file that spreadsheets open safely; `cells` makes them out of a row."""

    def __init__(
        self, path: Path, columns: Sequence[str], cells: Callable[[Row], Mapping[str, object]]
    ) -> None:
        self.rows = 0
        self._cells = cells
        self._columns = columns
        path.parent.mkdir(parents=True, exist_ok=True)
        # The mark at the start is what makes Excel read UTF-8.
        self._stream = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._writer.writerow(columns)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add the rows of `batch`."""
        for row in batch.to_pylist():
            cells = self._cells(row)
            self._writer.writerow([inert(cells[name]) for name in self._columns])
            self.rows += 1

    def close(self) -> list[Path]:
        """Close the file and return it."""
        self._stream.close()
        return [Path(self._stream.name)]
