"""Files that are whole by their format and still not what a reader hopes for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.makers import odd_types

SAID = "I hear you, and it sounds like a hard week."
Make = Callable[[Path], None]


def _text(name: str, content: str | bytes) -> tuple[str, Make]:
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return name, lambda path: path.write_bytes(data) and None


def _lines(*rows: object) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _parquet(table: pa.Table) -> Make:
    return lambda path: pq.write_table(table, path)


def _twice() -> pa.Table:
    return pa.Table.from_arrays([pa.array([SAID]), pa.array(["a"])], names=["text", "text"])


def _chats(*messages: object) -> str:
    return _lines({"messages": list(messages)}, {"messages": None}, {"messages": []})


def _odd(path: Path) -> None:
    odd_types(path.parent / "odd")
    (path.parent / "odd" / "t.parquet").rename(path)


_PARQUET: dict[str, Make] = {
    "columns of unusual types": _odd,
    "a column name twice": _parquet(_twice()),
    "an empty name": _parquet(pa.table({"": [SAID], "text": [SAID]})),
    "no rows": _parquet(pa.table({"text": pa.array([], pa.string())})),
    "no columns": _parquet(pa.table({})),
    "nothing but nulls": _parquet(pa.table({"text": pa.nulls(9, pa.string())})),
    "not UTF-8": _parquet(pa.table({"text": pa.array([SAID.encode(), b"\xff"]).view(pa.string())})),
    "a struct of no fields": _parquet(pa.table({"text": [SAID], "b": [{"c": None}]})),
    "numbers that are none": _parquet(
        pa.table({"text": [SAID] * 3, "label": [float("nan"), float("inf"), -0.0]})
    ),
    "times far away": _parquet(
        pa.table({"text": [SAID], "when": pa.array([2**62], pa.timestamp("us"))})
    ),
}
_TEXTS = dict(
    (
        _text("carriage returns alone.csv", f"text,label\r{SAID},1\r{SAID},2\r"),
        _text("NUL.csv", f"text,label\n{SAID}\x00,1\n"),
        _text("a mark of byte order.csv", b"\xef\xbb\xbftext\n" + SAID.encode()),
        _text("half of UTF-16.csv", "text\nI hear you".encode("utf-16")[:-1]),
        _text("a header of 5,000.csv", ",".join(["text"] * 5000) + f"\n{SAID}\n"),
        _text("a formula.csv", f'text,=cmd()\n{SAID},"=HYPERLINK(""x"")"\n'),
        _text("separators alone.csv", ",,,,\n,,,,\n"),
        _text("half a character.jsonl", _lines({"text": f"\ud800 {SAID}", "\udfff": "\ud800"})),
        _text("NaN.jsonl", f'{{"text": "{SAID}", "label": NaN, "score": -Infinity}}\n'),
        _text("types that change.jsonl", _lines({"text": SAID}, {"text": 3}, {"text": [SAID]})),
        _text("keys twice.jsonl", f'{{"text": 1, "text": "{SAID}"}}\n'),
        _text("a key of nothing.jsonl", _lines({"": SAID, "text": SAID, " ": SAID})),
        _text("2^64.jsonl", _lines({"text": SAID, "id": 2**70, "label": -(2**70)})),
        _text("deep.json", "[" * 20_000 + "]" * 20_000),
        _text("deep values.jsonl", f'{{"text": "{SAID}", "a": {"[" * 99}{"]" * 99}}}\n'),
        _text("lists of lists.json", '{"a": [[1]], "b": [2]}'),
        _text("turns of any type.jsonl", _chats({"role": 1, "content": [1]}, {"content": None})),
        _text("turns that are texts.jsonl", _chats("a", "b")),
        _text("notes of any type.jsonl", _chats({"role": "bot", "text": "a", "annotation": 3})),
        _text(
            "strategies of any type.jsonl", _chats({"text": "a", "annotation": {"strategy": [1]}})
        ),
        _text(
            "sides of any type.jsonl",
            _lines({"chosen": [], "rejected": 3}, {"chosen": {"a": 1}, "rejected": [[1]]}),
        ),
        _text("codes that are code.csv", f"text,codes\n{SAID},\"[__import__('os')]\"\n"),
        _text("codes that nest.csv", f"text,codes\n{SAID}," + "[" * 5000 + "\n"),
        _text("very long.jsonl", _lines({"text": SAID * 20_000, "label": "1"})),
        _text("one character.jsonl", _lines(*({"text": "."} for _ in range(30)))),
    )
)


def write_all(folder: Path) -> dict[str, Path]:
    """Write all nasty files, each in a folder of its own; return them by name."""
    makers = {f"{name}.parquet": make for name, make in _PARQUET.items()} | _TEXTS
    paths = {}
    for number, (name, make) in enumerate(makers.items()):
        path = folder / str(number) / f"t{Path(name).suffix}"
        path.parent.mkdir(parents=True)
        make(path)
        paths[name] = path
    return paths
