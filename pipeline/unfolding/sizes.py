"""How much memory values take in Python, before (Arrow, JSON text) and after they are made."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.unfolding.limits import MAX_DEPTH, TooDeepError

# CPython 3.11 on 64 bits: a reference, a short text without its characters, a number, an empty list
# and a dictionary, each with what the allocator rounds up to.
_REFERENCE, _TEXT, _NUMBER, _LIST, _DICT = 8, 56, 32, 64, 240


def of_batch(batch: pa.RecordBatch) -> int:
    """Return about how many bytes the rows of `batch` take as Python's values."""
    return sum(of_arrow(column) for column in batch.columns)


def of_arrow(array: pa.Array) -> int:
    """Return about how many bytes the values of `array` take as Python's, repeats counted."""
    kind, rows = array.type, len(array)
    own: int = rows * _REFERENCE
    if pa.types.is_null(kind):
        return own
    if isinstance(array, pa.ExtensionArray):
        return of_arrow(array.storage)
    if pa.types.is_dictionary(kind):
        return own + _of_dictionary(array)
    if pa.types.is_run_end_encoded(kind):
        return own + rows * _largest(array.values)
    if pa.types.is_struct(kind):
        children = sum(of_arrow(child) for child in array.flatten())
        return int(own + rows * (_DICT + _REFERENCE * kind.num_fields) + children)
    if pa.types.is_map(kind):
        # `values` and `offsets` see the whole array, a slice's rows are between its offsets.
        start, stop = (array.offsets[at].as_py() for at in (0, -1))
        pairs = sum(of_arrow(part.slice(start, stop - start)) for part in (array.keys, array.items))
        return int(own + rows * _LIST + (stop - start) * (_LIST + _REFERENCE) + pairs)
    if pa.types.is_union(kind):
        parts = [array.field(number) for number in range(kind.num_fields)]
        return own + rows * max((_largest(part) for part in parts), default=0)
    if pa.types.is_nested(kind):
        return own + rows * _LIST + _of_items(array)
    lengths = _lengths(array)
    if lengths is not None:
        return own + rows * _TEXT + (pc.sum(lengths).as_py() or 0)
    return own + rows * _NUMBER


def _of_items(array: pa.Array) -> int:
    """Return the size of all items of lists of any kind, shared items counted again."""
    if pa.types.is_list_view(array.type) or pa.types.is_large_list_view(array.type):
        items = pc.sum(pc.cast(array.sizes, pa.int64())).as_py() or 0
        return int(items * (_REFERENCE + _largest(array.values)))
    return of_arrow(array.flatten())


def _largest(array: pa.Array) -> int:
    """Return the size of the largest value; of nested ones, that of all together."""
    lengths = _lengths(array)
    if lengths is None:
        return of_arrow(array)
    return _TEXT + (pc.max(lengths).as_py() or 0)


def _of_dictionary(array: pa.DictionaryArray) -> int:
    lengths = _lengths(array.dictionary)
    if lengths is None:
        return len(array) * _largest(array.dictionary)
    used = pc.sum(pc.take(lengths, array.indices)).as_py() or 0
    return int(len(array) * _TEXT + used)


def _lengths(array: pa.Array) -> pa.Array | None:
    """Return the bytes of each text, None if `array` has no texts."""
    kind = array.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        array = array.cast(pa.large_binary())
    elif not (pa.types.is_unicode(kind) or pa.types.is_binary(kind) or _is_large(kind)):
        return None
    return pc.cast(pc.binary_length(array), pa.int64())


def _is_large(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_large_string(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def of_json(text: bytes) -> int:
    """Return the most bytes that the values of a JSON text can take."""
    return (
        2 * len(text)
        + _LIST * text.count(b"[")
        + (_DICT + _TEXT) * text.count(b"{")
        + (_REFERENCE + _TEXT) * text.count(b",")
        + 2 * _TEXT * text.count(b":")
    )


def of_cells(values: Iterable[Any]) -> int:
    """Return the bytes that the cells of a row or a column take.

    Raises TooDeepError for a value that is nested deeper than MAX_DEPTH.
    """
    cells = list(values)
    size = sum(map(sys.getsizeof, cells)) + _REFERENCE * len(cells)
    if {list, dict} & set(map(type, cells)):
        size += sum(_of_parts(cell) for cell in cells if isinstance(cell, list | dict))
    return size


def of_decoded(array: pa.Array, values: list[Any]) -> int:
    """Return the bytes that the values of `array` take now that they are Python's.

    The number of a text's bytes says it for ASCII alone.
    """
    kind = array.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if is_text and pc.all(pc.string_is_ascii(array)).as_py() is False:
        return of_cells(values)
    return of_cells(values) if pa.types.is_nested(kind) else of_arrow(array)


def _of_parts(nested: list[Any] | dict[str, Any]) -> int:
    size = 0
    level: list[Any] = [nested]
    for _ in range(MAX_DEPTH):
        parts: list[Any] = []
        for container in level:
            parts += container.values() if isinstance(container, dict) else container
            if isinstance(container, dict):
                size += sum(map(sys.getsizeof, container))
        size += sum(map(sys.getsizeof, parts))
        level = [part for part in parts if isinstance(part, list | dict)]
        if not level:
            return size
    raise TooDeepError
