"""Arrow streams, as `datasets` saves them, read in pieces of a known size.

Message.fbs and Schema.fbs of https://github.com/apache/arrow/tree/main/format say where a message
keeps what is asked for here; the rest is pyarrow's to read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pipeline.unfolding.limits import PIECE_BYTES, too_large
from pipeline.unfolding.parquet import pieces

_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3


def stream_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an Arrow stream, a piece at a time.

    Raises TableError for what is too large and `parquet.DAMAGE` for what cannot be read.
    """
    with pa.memory_map(str(path)) as source:
        for message in pa.ipc.MessageReader.open_stream(source):
            size = _unpacked_size(message)
            if size > PIECE_BYTES:
                raise too_large(path, "a batch", size)
    with pa.memory_map(str(path)) as source:
        for batch in pa.ipc.open_stream(source):
            # Offsets that point elsewhere would be followed.
            batch.validate(full=True)
            yield from pieces(path, batch)


def stream_schema(path: Path) -> pa.Schema:
    """Return the schema of an Arrow stream."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_stream(source).schema


def _unpacked_size(message: pa.Message) -> int:
    """Return the bytes of a message's buffers once unpacked; 0 for a message without packed ones.

    A packed buffer begins with its unpacked size, eight bytes; -1 says that it is not packed.
    """
    table = _Table(message.metadata.to_pybytes(), None)
    kind = table.scalar(1, "<B")
    if kind not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return 0
    batch = table.child(2)
    if kind == _DICTIONARY_BATCH and batch is not None:
        batch = batch.child(1)
    if batch is None or batch.child(3) is None or message.body is None:
        return 0
    body = memoryview(message.body)
    size = 0
    for start, length in batch.pairs(2):
        if length >= 8 and 0 <= start <= len(body) - 8:
            (unpacked,) = struct.unpack_from("<q", body, start)
            size += max(unpacked, 0)
    return size


class _Table:
    """A flatbuffers table, of which only what is asked for is read; damage is a ValueError."""

    def __init__(self, data: bytes, position: int | None) -> None:
        self._data = data
        self._at = self._read("<I", 0) if position is None else position
        self._fields = self._at - self._read("<i", self._at)

    def _read(self, form: str, at: int) -> int:
        if not 0 <= at <= len(self._data) - struct.calcsize(form):
            raise ValueError("a message that points out of itself")
        return int(struct.unpack_from(form, self._data, at)[0])

    def _field(self, number: int) -> int | None:
        at = 4 + 2 * number
        if at + 2 > self._read("<H", self._fields):
            return None
        offset = self._read("<H", self._fields + at)
        return self._at + offset if offset else None

    def scalar(self, number: int, form: str) -> int:
        """Return a number, 0 where there is none."""
        at = self._field(number)
        return 0 if at is None else self._read(form, at)

    def child(self, number: int) -> _Table | None:
        """Return a table in this one, None where there is none."""
        at = self._field(number)
        return None if at is None else _Table(self._data, at + self._read("<I", at))

    def pairs(self, number: int) -> Iterator[tuple[int, int]]:
        """Yield the structs of a vector of two 64-bit numbers each."""
        at = self._field(number)
        if at is None:
            return
        start = at + self._read("<I", at)
        for pair in range(self._read("<I", start)):
            first = start + 4 + 16 * pair
            yield self._read("<q", first), self._read("<q", first + 8)
