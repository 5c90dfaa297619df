"""Columns of Parquet and Arrow files, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit.raw_table import RawTable, RowNumbers, unique_names
from pipeline.unfolding import parquet
from pipeline.unfolding.arrow_stream import stream_batches, stream_schema

# What pyarrow raises for a value that Python cannot hold.
_UNREADABLE = (pa.ArrowException, OverflowError, ValueError)
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


class Decoder:
    """Turns the columns of one file into Python's values; what Python cannot hold is noted."""

    def __init__(self, table: RawTable) -> None:
        self._table = table
        self._zones: dict[str, str] = {}
        self._lost: dict[str, RowNumbers] = {}

    def values(self, name: str, column: pa.Array) -> list[Any]:
        """Return the values of a column, whose rows follow those that the table has."""
        kind = column.type
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        try:
            if is_text or (is_number and not column.null_count):
                return list(column.to_numpy(zero_copy_only=False).tolist())
            return list(column.to_pylist())
        except _UNREADABLE:
            pass
        if is_text:  # Parquet does not check that it is UTF-8
            return [
                None if value is None else value.decode("utf-8", "replace")
                for value in column.cast(pa.binary()).to_pylist()
            ]
        return list(self._one_by_one(name, self._in_utc(name, column)))

    def note(self, file: str) -> None:
        """Note what the columns of `file` were read as, or lack."""
        for name, zones in self._zones.items():
            self._table.notes.append(
                f"{file}: the times of column {name!r} cannot be told in the zone {zones} here: "
                "read as UTC"
            )
        for name, rows in self._lost.items():
            rows.note(self._table, f"{file}: cannot be read in column {name!r}, left empty, row")

    def _in_utc(self, name: str, column: pa.Array) -> pa.Array:
        """Return the same moments without the names of zones."""
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        zones = sorted(set(_zones(column.type)))
        if not zones:
            return column
        try:
            plain = column.cast(_without_zones(column.type))
        except pa.ArrowException:
            return column
        self._zones[name] = ", ".join(map(repr, zones))
        return plain

    def _one_by_one(self, name: str, column: pa.Array) -> Iterator[Any]:
        for row, value in enumerate(column, start=self._table.rows):
            try:
                yield value.as_py()
            except _UNREADABLE:
                self._lost.setdefault(name, RowNumbers()).add(row)
                yield None


def _zones(kind: pa.DataType) -> Iterator[str]:
    if pa.types.is_timestamp(kind) and kind.tz:
        yield kind.tz
    for number in range(kind.num_fields):
        yield from _zones(kind.field(number).type)


def _without_zones(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.timestamp(kind.unit, "UTC" if kind.tz else None)
    fields = [
        field.with_type(_without_zones(field.type))
        for field in map(kind.field, range(kind.num_fields))
    ]
    if pa.types.is_struct(kind):
        return pa.struct(fields)
    if pa.types.is_map(kind):
        return pa.map_(kind.key_type, _without_zones(kind.item_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(fields[0])
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(fields[0], kind.list_size)
    return pa.list_(fields[0]) if pa.types.is_list(kind) else kind
