"""Parquet files that are read in pieces of a known size, whatever they unfold to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import TableError
from pipeline.unfolding import sizes
from pipeline.unfolding.limits import BATCH_BYTES, MAX_RATIO, PIECE_BYTES, too_large
from pipeline.unfolding.pages import MAX_PAGES, Chunk, read_chunk

DAMAGED = "It may be cut short or damaged: get it or write it again."
# What pyarrow raises for bytes that are not what they should be.
DAMAGE = (pa.ArrowException, OSError, OverflowError, ValueError)
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
# Logical types of BYTE_ARRAY that Arrow can keep as references to a dictionary.
_TEXTS = {"NONE", "STRING", "ENUM", "JSON", "BSON"}


class BoundedParquet(pq.ParquetFile):  # type: ignore[misc]  # pyarrow is not typed
    """A Parquet file whose `read` and `iter_batches` raise TableError before they take too much."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, pre_buffer=False)
        self.path = path

    def iter_batches(
        self, batch_size: int = 2048, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most `batch_size` rows and, with two rows or more, BATCH_BYTES."""
        row = 0
        found = batches(self.path, batch_size, columns)
        while True:
            try:
                batch = next(found, None)
            except DAMAGE as error:
                raise self._damaged(row, error) from error
            if batch is None:
                return
            yield batch
            row += batch.num_rows

    def rows(
        self, batch_size: int, columns: Sequence[str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows as Python's values."""
        row = 0
        for batch in self.iter_batches(batch_size, columns):
            try:
                values = batch.to_pylist()
            except DAMAGE as error:
                raise self._damaged(row, error) from error
            yield from values
            row += len(values)

    def _damaged(self, row: int, error: Exception) -> TableError:
        what = " ".join(str(error).split())[:200]
        if isinstance(error, UnicodeDecodeError):
            problem = f"a text after row {row} is not UTF-8 ({what})"
        else:
            problem = f"damaged after row {row} ({what})"
        return TableError(self.path, problem, hint=DAMAGED)

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the whole table, of at most PIECE_BYTES."""
        found, size = [], 0
        for batch in self.iter_batches(65536, columns):
            size += batch.nbytes
            if size > PIECE_BYTES:
                raise too_large(self.path, "the table", size)
            found.append(batch)
        names = None if columns is None else list(columns)
        empty = pq.ParquetFile(self.path).schema_arrow.empty_table()
        return pa.Table.from_batches(found) if found else empty.select(names or empty.column_names)


def batches(
    path: Path, rows: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file, as `BoundedParquet.iter_batches` does.

    Raises TableError for what is too large and DAMAGE for what cannot be read.
    """
    names = None if columns is None else list(columns)
    plain = pq.ParquetFile(path, pre_buffer=False)
    groups = list(_groups(path, plain, names))
    repeating = _repeating(groups, rows)
    file = pq.ParquetFile(path, pre_buffer=False, read_dictionary=repeating) if repeating else plain
    allowed = max(PIECE_BYTES, MAX_RATIO * path.stat().st_size)
    size = 0
    for number, group in enumerate(groups):
        fitting = group.rows_that_fit(path, rows, set(repeating))
        for batch in file.iter_batches(
            fitting, row_groups=[number], columns=names, use_threads=False
        ):
            size += sizes.of_batch(batch)
            if size > allowed:
                raise too_large(path, "the table", size, allowed)
            for piece in pieces(path, batch):
                yield _plain(piece, plain.schema_arrow) if repeating else piece


class _Column:
    """A leaf column of a row group: how it is laid out, and what its pages say."""

    def __init__(self, schema: Any, chunk: Chunk) -> None:
        self.path: str = schema.path
        self.chunk = chunk
        self.levels: int = schema.max_repetition_level
        self.has_width = schema.physical_type != "BYTE_ARRAY"
        self.is_text = not self.has_width and schema.logical_type.type in _TEXTS
        self.width: int = _WIDTHS.get(schema.physical_type, schema.length or 16)

    def decoded(self, rows: int, *, as_dictionary: bool) -> int:
        """Return the most bytes that `rows` rows take once decoded; a list may hold all values."""
        chunk = self.chunk
        values = chunk.values if self.levels else min(rows, chunk.values)
        size = values * (self.width + 8 * self.levels) + chunk.largest_page
        if self.has_width:
            return size
        size += min(chunk.size, values * chunk.largest_page)
        size += min(values, chunk.by_prefix) * chunk.largest_page
        if not as_dictionary:
            size += min(values, chunk.by_reference) * chunk.dictionary
        return size


class _Group:
    """A row group's columns, those that are read."""

    def __init__(self, columns: list[_Column]) -> None:
        self.columns = columns

    def rows_that_fit(self, path: Path, rows: int, repeating: set[str]) -> int:
        """Return how many rows are decoded at a time, at most `rows`."""
        while True:
            size = sum(
                column.decoded(rows, as_dictionary=column.path in repeating)
                for column in self.columns
            )
            if size <= PIECE_BYTES:
                return rows
            if rows == 1:
                raise too_large(path, "a row group", size)
            rows //= 2


def _repeating(groups: Sequence[_Group], rows: int) -> list[str]:
    """Return the texts that are read as references to their dictionary, lest they take too much."""
    columns = [column for group in groups for column in group.columns if column.is_text]
    whole = {column.path for column in columns if column.chunk.is_whole}
    large = {
        column.path for column in columns if column.decoded(rows, as_dictionary=False) > BATCH_BYTES
    }
    return sorted(large - whole)


def _groups(path: Path, file: pq.ParquetFile, names: list[str] | None) -> Iterator[_Group]:
    schema = file.schema
    leaves = [schema.column(number) for number in range(len(schema))]
    # Arrow casts no reference to a dictionary to a view.
    views = [field.name for field in file.schema_arrow if "view" in str(field.type)]
    lost = [name for name in names or () if not any(_is_in(leaf.path, [name]) for leaf in leaves)]
    if lost:
        raise TableError(path, f"no column {', '.join(lost)}", hint="Is it another table?")
    wanted = [
        number for number, leaf in enumerate(leaves) if names is None or _is_in(leaf.path, names)
    ]
    pages_left = MAX_PAGES
    with path.open("rb") as stream:
        for group in range(file.metadata.num_row_groups):
            columns = []
            for number in wanted:
                about = file.metadata.row_group(group).column(number)
                chunk, pages = read_chunk(stream, about, pages_left)
                pages_left -= pages
                chunk.is_whole |= _is_in(leaves[number].path, views)
                columns.append(_Column(leaves[number], chunk))
            yield _Group(columns)


def _is_in(path: str, names: Sequence[str]) -> bool:
    """Return whether a leaf column is one of `names` or inside of one."""
    return any(path == name or path.startswith(f"{name}.") for name in names)


def pieces(path: Path, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch until each piece is small enough as Python's values, or one row."""
    size = sizes.of_batch(batch)
    if size <= BATCH_BYTES:
        yield batch
    elif batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from pieces(path, batch.slice(0, half))
        yield from pieces(path, batch.slice(half))
    elif size > PIECE_BYTES:
        raise too_large(path, "a row", size)
    else:
        yield batch


def _plain(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give texts that were read as references their own type again."""
    fields = [schema.field(name) for name in batch.schema.names]
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, fields, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))
