"""A ledger's worth of answers, asked of a mock endpoint, so that every key fits its request."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.harness import in_process
from pipeline.llm.ledger_transfer import export_answers
from tests.mock_endpoint import program

COLUMNS = "key, role, stage, model, sample, answer, request"


def ask(rows: int, out: Path) -> None:
    """Ask for `rows` answers and write them to `out` as `distillery ledger export` does.

    Those with an even place are of stage `kept`, the others of stage `dropped`.
    """
    ledger = out.with_suffix(".sqlite")
    with program() as endpoint:
        in_process("benchmarks._teacher", "ask_ours", endpoint.base_url, str(rows), str(ledger))
    export_answers(ledger, out)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for place, line in enumerate(lines):
        line["stage"] = ("kept", "dropped")[place % 2]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    out.write_text(text, encoding="utf-8")


def answers(ledger: Path, *, stage: str | None = None) -> dict[str, tuple[object, ...]]:
    """Return the rows of `ledger` by key, `request` the last of each; none without a ledger.

    A copy is read: SQLite mends a killed file where it opens it, and the next run shall do that.
    """
    query = f"SELECT {COLUMNS} FROM answers WHERE ? IS NULL OR stage = ?"
    with tempfile.TemporaryDirectory() as scratch:
        for part in (ledger, ledger.with_name(f"{ledger.name}-wal")):
            if part.is_file():
                shutil.copy(part, Path(scratch) / part.name)
        with closing(sqlite3.connect(Path(scratch) / ledger.name)) as db:
            try:
                return {row[0]: row for row in db.execute(query, (stage, stage))}
            except sqlite3.OperationalError:  # killed before the table was made
                return {}


def content(answer: tuple[object, ...]) -> str:
    """Return what the mock endpoint calls the request of an answer."""
    return hashlib.sha256(str(answer[-1]).encode()).hexdigest()[:16]


def problems_of_file(ledger: Path) -> list[str]:
    """Return what SQLite finds wrong with the file."""
    with closing(sqlite3.connect(ledger)) as db:
        (found,) = db.execute("PRAGMA integrity_check").fetchone()
    return [] if found == "ok" else [f"{ledger.name}: {found}"]
