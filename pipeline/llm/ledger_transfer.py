"""The ledger as a file that people read and ship: export, import, prune, stats."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from pydantic import ValidationError

from pipeline.errors import TargetError
from pipeline.llm.answer import ANSWER_COLUMNS, Answer, mismatch, read_answers
from pipeline.llm.budget import Spent
from pipeline.llm.ledger import Ledger, LedgerError
from pipeline.llm.ledger_file import (
    LedgerReader,
    beside,
    connect,
    existing_file,
    explained,
    not_whole,
    reading_uri,
)
from pipeline.records.base import Record
from pipeline.storage import AtomicFile, first_problem

_NAMES = ", ".join(ANSWER_COLUMNS)
_MARKS = ", ".join("?" * len(ANSWER_COLUMNS))
_SELECT = f"SELECT {_NAMES} FROM answers NOT INDEXED"  # noqa: S608  our names
# A damaged page spoils neighbouring rows; after this many in a row there is nothing behind them.
GIVE_UP_AFTER = 10_000


class StageStats(Record):
    """What one stage and role have in the ledger."""

    stage: str
    role: str
    answers: int
    attempts: int
    failed: int
    unanswered: int
    tokens: int
    usd: float


def export_answers(ledger: Path, out: Path, *, salvage: bool = False) -> int:
    """Write all answers to `out` as JSON Lines ordered by key; return their number.

    `salvage` reads a damaged ledger row by row and passes over what cannot be read. Raises
    TargetError if `out` is the ledger, or one of the files that SQLite keeps beside it.
    """
    _require_another(out, existing_file(ledger))
    answers = _salvaged(ledger) if salvage else _in_key_order(ledger)
    count = 0
    with AtomicFile(out) as part, part.open("w", encoding="utf-8") as stream:
        for answer in answers:
            stream.write(json.dumps(answer.model_dump(), ensure_ascii=False) + "\n")
            count += 1
    return count


def _require_another(out: Path, ledger: Path) -> None:
    """Refuse to write over a ledger, by whatever name or link."""
    for own in (ledger, *beside(ledger).values()):
        with suppress(OSError):
            if os.path.realpath(out) == str(own) or out.samefile(own):
                hint = "Give the export a name of its own; nothing was changed."
                raise TargetError(out, "is the file itself, or a part of the ledger", hint=hint)


def _in_key_order(path: Path) -> Iterator[Answer]:
    with LedgerReader(path) as ledger:
        for row in ledger.scan(f"{_SELECT} ORDER BY key"):
            try:
                yield _answer(row)
            except ValidationError as error:
                raise not_whole(path, f"answer {row[0]!s:.64}: {first_problem(error)}") from error


def _answer(row: tuple[object, ...]) -> Answer:
    return Answer.model_validate(dict(zip(ANSWER_COLUMNS, row, strict=True)))


def _salvaged(path: Path) -> Iterator[Answer]:
    """Yield the answers that can be read and fit their requests, by row number.

    No index is trusted.
    """
    with explained(path):
        file = existing_file(path)
        with reading_uri(file) as uri, closing(connect(uri)) as db:
            yield from _readable(db, path)


def _readable(db: sqlite3.Connection, path: Path) -> Iterator[Answer]:
    try:
        db.execute("SELECT 1 FROM answers NOT INDEXED WHERE id = 0").fetchone()
    except sqlite3.DatabaseError as error:
        raise LedgerError(
            f"{path}: not even the table of answers can be read ({error})\n"
            "The file is unchanged: restore a copy, or try `.recover` of the sqlite3 shell."
        ) from error
    number, missing = 0, 0
    while missing < GIVE_UP_AFTER:
        number += 1
        try:
            row = db.execute(f"{_SELECT} WHERE id = ?", (number,)).fetchone()
            answer = None if row is None else _answer(row)
        except (sqlite3.DatabaseError, UnicodeDecodeError, ValidationError):
            answer = None
        if answer is None or mismatch(answer):
            missing += 1
        else:
            missing = 0
            yield answer


def import_answers(ledger: Path, source: Path) -> tuple[int, int]:
    """Add the answers of an export, all or none; return (added, already there).

    Imported answers cost nothing here: the budget does not count them. They are checked into a
    table of this connection alone, so that the ledger is locked only while they are copied. A
    ledger is made only for an export that is whole.
    """
    if not os.path.lexists(ledger):
        for _ in read_answers(source):
            pass
    with Ledger(ledger) as target, explained(ledger):
        target.rows(f"CREATE TEMP TABLE incoming ({_NAMES})")
        count = 0
        for answer in read_answers(source):
            values = (getattr(answer, name) for name in ANSWER_COLUMNS)
            target.rows(f"INSERT INTO incoming VALUES ({_MARKS})", *values)  # noqa: S608  our names
            count += 1
        with target.transaction() as db:
            added = db.execute(
                f"INSERT OR IGNORE INTO answers ({_NAMES}) SELECT {_NAMES} FROM incoming"  # noqa: S608  our names
            ).rowcount
    return added, count - added


def prune_answers(
    path: Path, *, older_than_days: float | None = None, stage: str | None = None
) -> int:
    """Delete answers, by age, stage or both; return their number. What was spent stays spent."""
    before = math.inf if older_than_days is None else time.time() - older_than_days * 86_400
    existing_file(path)
    with Ledger(path) as ledger, ledger.transaction() as db:
        # What was deleted is people's words: it is overwritten, not only forgotten.
        db.execute("PRAGMA secure_delete = ON")
        return db.execute(
            "DELETE FROM answers WHERE answered_at < ? AND (? IS NULL OR stage = ?)",
            (before, stage, stage),
        ).rowcount


def ledger_stats(path: Path) -> tuple[Spent, list[StageStats]]:
    """Return the running totals and one row per stage and role."""
    with LedgerReader(path) as ledger:
        answers = {
            (stage, role): count
            for stage, role, count in ledger.rows(
                "SELECT stage, role, count(*) FROM answers GROUP BY stage, role"
            )
        }
        attempts = {
            (stage, role): rest
            for stage, role, *rest in ledger.rows(
                "SELECT stage, role, count(*),"
                " count(*) FILTER (WHERE outcome IS NOT NULL AND outcome <> 'answered'),"
                " count(*) FILTER (WHERE outcome IS NULL), sum(tokens), sum(usd)"
                " FROM attempts GROUP BY stage, role"
            )
        }
        try:
            rows = [
                _stats(key, answers.get(key, 0), attempts.get(key, [0, 0, 0, 0, 0.0]))
                for key in sorted({*answers, *attempts}, key=str)
            ]
        except ValidationError as error:
            raise not_whole(path, first_problem(error)) from error
        return ledger.spent(), rows


def _stats(key: tuple[object, object], answers: object, rest: list[object]) -> StageStats:
    stage, role = key
    names = ("attempts", "failed", "unanswered", "tokens", "usd")
    values = dict(zip(names, rest, strict=True))
    return StageStats.model_validate({"stage": stage, "role": role, "answers": answers, **values})
