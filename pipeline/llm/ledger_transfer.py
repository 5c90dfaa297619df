"""The ledger as a file that people read and ship: export, import, prune, stats."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pipeline.llm.budget import Spent
from pipeline.llm.ledger import ANSWER_COLUMNS, Answer, Ledger, LedgerError, add_answer
from pipeline.records.base import Record
from pipeline.storage import AtomicFile, read_json_lines

_SELECT = f"SELECT {', '.join(ANSWER_COLUMNS)} FROM answers NOT INDEXED"  # noqa: S608  our names
IMPORT_BATCH = 500
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

    `salvage` reads a damaged ledger row by row and passes over what cannot be read.
    """
    rows = _salvaged(ledger) if salvage else _in_key_order(ledger)
    count = 0
    with AtomicFile(out) as part, part.open("w", encoding="utf-8") as stream:
        for row in rows:
            values = dict(zip(ANSWER_COLUMNS, row, strict=True))
            stream.write(json.dumps(values, ensure_ascii=False) + "\n")
            count += 1
    return count


def _in_key_order(path: Path) -> Iterator[tuple[object, ...]]:
    if not path.is_file():
        raise LedgerError(f"{path}: no such ledger\nNothing was asked here yet; check the path.")
    with Ledger(path) as ledger:
        yield from ledger.scan(f"{_SELECT} ORDER BY key")


def _salvaged(path: Path) -> Iterator[tuple[object, ...]]:
    """Yield what can be read, by row number; no index is trusted."""
    if not path.is_file():
        raise LedgerError(f"{path}: no such ledger\nCheck the path.")
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as db:
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
            except (sqlite3.DatabaseError, UnicodeDecodeError):
                row = None
            if row is None:
                missing += 1
            else:
                missing = 0
                yield row


def import_answers(ledger: Path, source: Path) -> tuple[int, int]:
    """Add the answers of an export; return (added, already there).

    Imported answers cost nothing here: the budget does not count them.
    """
    added = known = 0
    with Ledger(ledger) as target:
        batch: list[Answer] = []
        for answer in read_json_lines(source, Answer):
            batch.append(answer)
            if len(batch) == IMPORT_BATCH:
                new = _add_all(target, batch)
                added, known = added + new, known + len(batch) - new
                batch.clear()
        new = _add_all(target, batch)
    return added + new, known + len(batch) - new


def _add_all(ledger: Ledger, answers: list[Answer]) -> int:
    with ledger.transaction() as db:
        return sum(add_answer(db, answer) for answer in answers)


def prune_answers(
    path: Path, *, older_than_days: float | None = None, stage: str | None = None
) -> int:
    """Delete answers, by age, stage or both; return their number. What was spent stays spent."""
    before = math.inf if older_than_days is None else time.time() - older_than_days * 86_400
    with Ledger(path) as ledger, ledger.transaction() as db:
        return db.execute(
            "DELETE FROM answers WHERE answered_at < ? AND (? IS NULL OR stage = ?)",
            (before, stage, stage),
        ).rowcount


def ledger_stats(path: Path) -> tuple[Spent, list[StageStats]]:
    """Return the running totals and one row per stage and role."""
    if not path.is_file():
        return Spent(), []
    with Ledger(path) as ledger:
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
        rows = []
        for stage, role in sorted({*answers, *attempts}, key=str):
            sent, failed, unanswered, tokens, usd = attempts.get((stage, role), (0, 0, 0, 0, 0.0))
            rows.append(
                StageStats.model_validate(
                    {
                        "stage": stage,
                        "role": role,
                        "answers": answers.get((stage, role), 0),
                        "attempts": sent,
                        "failed": failed,
                        "unanswered": unanswered,
                        "tokens": tokens,
                        "usd": usd,
                    }
                )
            )
        return ledger.spent(), rows
