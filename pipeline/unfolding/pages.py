"""What the page headers of a Parquet file say: how many values, how encoded, how large.

The footer says it too, but the decoder goes by the headers, and a footer may lie. Format:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (`PageHeader`),
in Thrift's compact protocol.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

DATA, DICTIONARY, DATA_V2 = 0, 2, 3
PLAIN_DICTIONARY, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY, RLE_DICTIONARY = 2, 6, 7, 8
MAX_PAGES = 1_000_000
# Headers are under 100 bytes, with statistics of long texts more.
_HEADER_BYTES, _MAX_HEADER_BYTES = 1024, 32 * 1024**2
_MAX_DEPTH, _MAX_ITEMS = 16, 10_000


class PageError(ValueError):
    """Page headers that no Parquet file has."""


@dataclass
class Chunk:
    """A column of a row group; sizes are those of unpacked pages, in bytes.

    `by_reference` are values that name an entry of the dictionary, `by_prefix` those that begin as
    the value before them: each may be as long as a whole page, and takes next to no room in one.
    `is_whole` says that Arrow can read the texts as texts alone, not as references.
    """

    values: int = 0
    size: int = 0
    largest_page: int = 0
    dictionary: int = 0
    by_reference: int = 0
    by_prefix: int = 0
    is_whole: bool = False


def read_chunk(stream: BinaryIO, column: Any, pages_left: int = MAX_PAGES) -> tuple[Chunk, int]:
    """Return a column chunk by its page headers, and how many pages it has.

    Like the decoder, it stops where the footer's number of values is reached. Raises PageError.
    """
    starts = [column.data_page_offset, column.dictionary_page_offset]
    position = min(start for start in starts if start is not None and start > 0)
    end = position + column.total_compressed_size
    chunk, pages = Chunk(), 0
    while chunk.values < column.num_values and position < end:
        pages += 1
        if pages > pages_left:
            raise PageError(f"over {MAX_PAGES:,} pages")
        header, length = _header_at(stream, position)
        _add_page(chunk, header)
        position += length + _whole_number(header, 3)
    return chunk, pages


def _add_page(chunk: Chunk, header: dict[int, Any]) -> None:
    kind, size = _whole_number(header, 1), _whole_number(header, 2)
    chunk.size += size
    chunk.largest_page = max(chunk.largest_page, size)
    if kind == DICTIONARY:
        chunk.dictionary = max(chunk.dictionary, size)
        return
    about = header.get({DATA: 5, DATA_V2: 8}.get(kind, 0))
    if not isinstance(about, dict):
        return
    values = _whole_number(about, 1)
    encoding = _whole_number(about, 2 if kind == DATA else 4)
    chunk.values += values
    if encoding == DELTA_BYTE_ARRAY:
        chunk.by_prefix += values
    elif encoding in (PLAIN_DICTIONARY, RLE_DICTIONARY):
        chunk.by_reference += values
    chunk.is_whole |= encoding in (DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY)


def _whole_number(fields: dict[int, Any], number: int) -> int:
    value = fields.get(number)
    if not isinstance(value, int) or value < 0:
        raise PageError(f"field {number} of a page header is {value!r:.40}")
    return value


def _header_at(stream: BinaryIO, position: int) -> tuple[dict[int, Any], int]:
    """Return the fields of the page header at `position`, and its length."""
    size = _HEADER_BYTES
    while True:
        stream.seek(position)
        reader = _Compact(stream.read(size))
        try:
            return reader.fields(), reader.position
        except IndexError as error:
            if size > min(len(reader.data), _MAX_HEADER_BYTES):
                raise PageError(f"no page header at byte {position}") from error
            size *= 16


class _Compact:
    """Thrift's compact protocol; raises IndexError where the bytes end too soon."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position, self.items = data, 0, 0

    def fields(self, depth: int = 0) -> dict[int, Any]:
        """Read a struct: field number -> value."""
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            found[number] = self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        self.items += 1
        if self.items > _MAX_ITEMS or depth > _MAX_DEPTH:
            raise PageError("a page header that is nested too deeply or too long")
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 7:
            return struct.unpack("<d", self._bytes(8))[0]
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            head = self._byte()
            count = head >> 4 if head >> 4 != 15 else self._varint()
            if head & 15 in (1, 2):
                return self._bytes(count)
            return [self._value(head & 15, depth + 1) for _ in range(count)]
        if kind == 12:
            return self.fields(depth + 1)
        raise PageError(f"a page header with a field of type {kind}")

    def _byte(self) -> int:
        self.position += 1
        return self.data[self.position - 1]

    def _bytes(self, length: int) -> bytes:
        start = self.position
        self.position += length
        if self.position > len(self.data):
            raise IndexError
        return self.data[start : self.position]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise PageError("a page header with a number of over 64 bits")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
