"""Rows that were added, dropped or changed, and why.

Ids are made of content, so a row whose text, prompt or parents changed has another id: such rows
are found again by dialogue and responders, and count as changed. What is left is explained by the
rejections tables of the side that lacks the row, or by where its parents are there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.layout import place
from pipeline.records import SplitName
from pipeline.reporting.revisions.revision import Revision
from pipeline.storage import open_parquet

KINDS = ("sft", "preferences/strict", "preferences/authors")
Key = tuple[str, tuple[str, ...], int]


@dataclass(frozen=True)
class RowChange:
    """One row that is not what it was; `was` and `now` are its ids, None where it is not there."""

    was: str | None
    now: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class TableDiff:
    """One table of a corpus before and after; None rows where the table is not there."""

    corpus: str
    kind: str
    rows_before: int | None
    rows_after: int | None
    added: tuple[RowChange, ...]
    dropped: tuple[RowChange, ...]
    changed: tuple[RowChange, ...]


class Build:
    """The tables of one revision, read when they are asked for."""

    def __init__(self, revision: Revision) -> None:
        self.revision = revision

    def table(self, kind: str, corpus: str) -> dict[str, dict[str, Any]] | None:
        """Return the rows of a table by id, None if the revision has no such table."""
        path = self.revision.file(f"datasets/{kind}/{corpus}.parquet")
        return None if path is None else {row["id"]: row for row in _read(path)}

    @cached_property
    def exchanges(self) -> dict[str, dict[str, Any]]:
        """Exchanges by id."""
        columns = ["id", "dialogue_id", "emotion", "situation", "utterance"]
        path = self.revision.file(place("exchanges"))
        return {row["id"]: row for row in _read(path, columns)}

    @cached_property
    def responses(self) -> dict[str, dict[str, Any]]:
        """Responses by id, of all tables."""
        columns = ["id", "exchange_id", "responder", "text", "rating"]
        return {
            row["id"]: row
            for name in self.revision.files(place("responses"))
            for row in _read(self.revision.file(name), columns)
        }

    @cached_property
    def splits(self) -> dict[str, SplitName]:
        """The split of each exchange."""
        path = self.revision.file(place("splits"))
        return {row["exchange_id"]: row["split"] for row in _read(path, ["exchange_id", "split"])}

    @cached_property
    def rejected(self) -> dict[str, str]:
        """Why ingest dropped a record, by the id that it would have had."""
        path = self.revision.file(place("ingest.rejections"))
        return {one["record_id"]: f"ingest: {one['reason']}" for one in _read(path)}

    @cached_property
    def unwritten(self) -> dict[tuple[str, str], str]:
        """Why a teacher's response was not had, by responder and exchange."""
        return {
            (Path(name).stem, parent): f"{one['stage']}: {one['reason']}"
            for stage in ("distil", "parse")
            for name in self.revision.files(f"datasets/rejections/{stage}")
            for one in _read(self.revision.file(name))
            for parent in one["parents"]
        }

    def candidates(self, kind: str, corpus: str) -> dict[frozenset[str], str]:
        """Why a candidate of a table was dropped, by what it would have been made from."""
        folder, _, which = kind.partition("/")
        path = self.revision.file(f"datasets/rejections/{folder}/{corpus}.parquet")
        return {
            frozenset(one["parents"]): one["reason"]
            for one in _read(path)
            if not which or one["stage"].endswith(f":{which}")
        }

    def responders(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return who wrote what a row is made from, its target or chosen side first."""
        ids = [row.get("response_id"), row.get("chosen_id"), row.get("rejected_id")]
        ids += row["lineage"]["parents"]
        known = (self.responses.get(one) for one in dict.fromkeys(ids) if one)
        return tuple(one["responder"] for one in known if one is not None)

    def keys(self, rows: Sequence[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
        """Return rows by dialogue, responders and their number among equals."""
        counts: defaultdict[tuple[str, tuple[str, ...]], int] = defaultdict(int)
        found = {}
        for row in rows:
            exchange = self.exchanges.get(row["exchange_id"])
            dialogue = exchange["dialogue_id"] if exchange else row["exchange_id"]
            key = (dialogue, self.responders(row))
            found[(*key, counts[key])] = row
            counts[key] += 1
        return found


def _read(path: Path | None, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    if path is None:
        return []
    rows: list[dict[str, Any]] = open_parquet(path).read(columns).to_pylist()
    return rows


def diff_table(before: Build, after: Build, corpus: str, kind: str) -> TableDiff:
    """Return how the table of `kind` of `corpus` changed."""
    old, new = before.table(kind, corpus), after.table(kind, corpus)
    olds, news = old or {}, new or {}
    changed = [
        RowChange(one, one, tuple(why))
        for one in olds
        if one in news and (why := list(_fields_changed(olds[one], news[one])))
    ]
    gone = before.keys([row for one, row in olds.items() if one not in news])
    come = after.keys([row for one, row in news.items() if one not in olds])
    for key in [key for key in gone if key in come]:
        was, now = gone.pop(key), come.pop(key)
        parts = tuple(_parts_changed(before, after, was, now))
        changed.append(RowChange(was["id"], now["id"], parts))
    lacks_after, lacks_before = after.candidates(kind, corpus), before.candidates(kind, corpus)
    return TableDiff(
        corpus,
        kind,
        None if old is None else len(old),
        None if new is None else len(new),
        tuple(
            RowChange(None, row["id"], (_why_absent(row, after, before, old, lacks_before),))
            for row in come.values()
        ),
        tuple(
            RowChange(row["id"], None, (_why_absent(row, before, after, new, lacks_after),))
            for row in gone.values()
        ),
        tuple(changed),
    )


def _fields_changed(was: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Say what differs in a row that kept its id."""
    for name in ("chosen_rating", "rejected_rating"):
        if was.get(name) != now.get(name):
            yield f"{name.replace('_', ' ')} {was.get(name)} → {now.get(name)}"
    for name, value in was["lineage"].items():
        if value != now["lineage"].get(name):
            yield name.replace("_", " ")
    for name in ("messages", "prompt", "chosen", "rejected"):
        if was.get(name) != now.get(name):
            yield f"text of {name}"


def _parts_changed(
    before: Build, after: Build, was: dict[str, Any], now: dict[str, Any]
) -> Iterator[str]:
    """Say which part of a row that has another id is another one."""
    said = False
    if was["exchange_id"] != now["exchange_id"]:
        said = True
        yield "what was said to the listener"
    if was["lineage"]["prompt_id"] != now["lineage"]["prompt_id"]:
        said = True
        yield f"prompt {was['lineage']['prompt_id']} → {now['lineage']['prompt_id']}"
    texts = _texts(before, was), _texts(after, now)
    for responder, text in texts[0].items():
        if responder in texts[1] and texts[1][responder] != text:
            said = True
            yield f"response of {responder}"
    if not said:
        yield "what it was made from"


def _texts(build: Build, row: dict[str, Any]) -> dict[str, str]:
    found = (build.responses.get(one) for one in row["lineage"]["parents"])
    return {one["responder"]: one["text"] for one in found if one is not None}


def _why_absent(
    row: dict[str, Any],
    there: Build,
    here: Build,
    table: dict[str, Any] | None,
    dropped: dict[frozenset[str], str],
) -> str:
    """Say why `here` lacks a row that `there` has."""
    if table is None:
        return "no such table"
    parents, exchange = row["lineage"]["parents"], row["exchange_id"]
    if reason := dropped.get(frozenset(parents)):
        return reason
    if exchange not in here.exchanges:
        return here.rejected.get(exchange, "exchange is not in the source")
    if here.splits.get(exchange) != there.splits.get(exchange):
        return f"exchange is in the {here.splits.get(exchange)} split"
    for one in parents:
        if one != exchange and one not in here.responses:
            who = there.responses[one]["responder"] if one in there.responses else "a responder"
            absent = f"no such response of {who}"
            return here.rejected.get(one) or here.unwritten.get((who, exchange)) or absent
    return "not recorded"
