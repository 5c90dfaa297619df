"""Columns of Parquet and Arrow files, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit.raw_table import RawTable, unique_names
from pipeline.unfolding import parquet
from pipeline.unfolding.arrow_stream import stream_batches, stream_schema

# The names of columns, and rows.
Block = tuple[list[str], pa.RecordBatch]


def parquet_blocks(path: Path, table: RawTable) -> Iterator[Block]:
    """Yield the rows of a Parquet file."""
    names = unique_names(list(pq.read_schema(path).names), table)
    for batch in parquet.batches(path, rows=2048):
        yield names, batch


def arrow_blocks(path: Path, table: RawTable) -> Iterator[Block]:
    """Yield the rows of an Arrow stream."""
    names = unique_names(list(stream_schema(path).names), table)
    for batch in stream_batches(path):
        yield names, batch


def decoded(column: pa.Array) -> list[Any]:
    """Return the values of `column` as Python's; bytes that are no text become U+FFFD."""
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
