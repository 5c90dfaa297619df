"""Ways to spoil a file. Each takes bytes and a source of chance, and returns other bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random

Mutation = Callable[[bytes, Random], bytes]

NASTY_BYTES = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\r",
    b'"',
    b"\n\n",
    b"PAR1",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"SQLite format 3\x00",
    b"{" * 300,
    b"[" * 5000,
    b"- " * 3000,
    b"\xff" * 8,
    b"\x80" * 16,
)
NASTY_VALUES = (
    "null",
    "true",
    "[]",
    "{}",
    '""',
    "-1",
    "1e400",
    "-Infinity",
    "NaN",
    "9" * 5000,
    "18446744073709551616",
    "0.1",
    '"\\ud800"',
    '"\\u0000"',
    '"' + "x" * 70_000 + '"',
    "[" * 90 + "]" * 90,
    '{"a":' * 95 + "1" + "}" * 95,
    "[[[1]]]",
    '{"role": 3}',
    '[{"role": "user", "content": {"a": []}}]',
    "[null]",
)
_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"(?!\s*:)|-?\d+(?:\.\d+)?|true|false|null')
_KEY = re.compile(rb'"(?:[^"\\]|\\.)*"(?=\s*:)')


def flip_bits(data: bytes, chance: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def flip_in_the_last_bytes(data: bytes, chance: Random) -> bytes:
    """The footer of Parquet and the directory of a zip are at the end."""
    tail = min(len(data), chance.choice((8, 64, 512)))
    return data[: len(data) - tail] + flip_bits(data[len(data) - tail :], chance)


def cut(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def drop_a_piece(data: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + data[start + chance.choice((1, 2, 16, 200)) :]


def repeat_a_piece(data: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    piece = data[start : start + chance.choice((1, 4, 40, 400))]
    return data[:start] + piece * chance.choice((2, 3, 50)) + data[start:]


def move_a_piece(data: bytes, chance: Random) -> bytes:
    first, second = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[first:second] + data[:first] + data[second:]


def insert_nasty_bytes(data: bytes, chance: Random) -> bytes:
    start = chance.choice((0, len(data), chance.randrange(len(data) + 1)))
    return data[:start] + chance.choice(NASTY_BYTES) + data[start:]


def overwrite_with_nasty_bytes(data: bytes, chance: Random) -> bytes:
    start, nasty = chance.randrange(len(data) + 1), chance.choice(NASTY_BYTES)
    return data[:start] + nasty + data[start + len(nasty) :]


def only_carriage_returns(data: bytes, chance: Random) -> bytes:
    return data.replace(b"\n", chance.choice((b"\r", b"\r\n", b"\x00", b"")))


def another_encoding(data: bytes, chance: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(chance.choice(("utf-16", "utf-16-le", "utf-32", "cp037")), "replace")


def change_a_value(data: bytes, chance: Random) -> bytes:
    """Swap the type of a JSON (or YAML flow) value."""
    return _replace_one(_VALUE, data, chance.choice(NASTY_VALUES).encode(), chance)


def rename_a_key(data: bytes, chance: Random) -> bytes:
    keys = _KEY.findall(data)
    other = chance.choice([*keys, b'""', b'"\\ud800"', b'"' + b"k" * 300 + b'"']) if keys else b'""'
    return _replace_one(_KEY, data, other, chance)


def swap_two_values(data: bytes, chance: Random) -> bytes:
    values = _VALUE.findall(data)
    return _replace_one(_VALUE, data, chance.choice(values), chance) if values else data


def change_a_cell(data: bytes, chance: Random) -> bytes:
    """Swap what stands between two separators of a CSV file or two spaces of a YAML one."""
    cell = re.compile(rb"(?<=[,\t:\n ])[^,\t\n:]+")
    nasty = chance.choice((*NASTY_VALUES, "", "\x00", "=1+1", "no", "&a [*a]", "!!python/name:os"))
    return _replace_one(cell, data, nasty.encode(), chance)


def drop_a_json_member(data: bytes, chance: Random) -> bytes:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return drop_a_piece(data, chance)
    holder, parent = value, None
    while isinstance(holder, dict | list) and holder and (parent is None or chance.random() < 0.7):
        parent = holder
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = chance.choice(keys)
        holder = holder[key]
    if parent is None:
        return data
    del parent[key]
    return json.dumps(value).encode()


def _replace_one(pattern: re.Pattern[bytes], data: bytes, other: bytes, chance: Random) -> bytes:
    places = [match.span() for match in pattern.finditer(data)]
    if not places:
        return insert_nasty_bytes(data, chance)
    start, end = chance.choice(places)
    return data[:start] + other + data[end:]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_in_the_last_bytes,
    cut,
    drop_a_piece,
    repeat_a_piece,
    move_a_piece,
    insert_nasty_bytes,
    overwrite_with_nasty_bytes,
    only_carriage_returns,
    another_encoding,
    change_a_value,
    rename_a_key,
    swap_two_values,
    change_a_cell,
    drop_a_json_member,
)
