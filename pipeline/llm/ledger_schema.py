"""The tables of the ledger: made, brought up to date, and compared with what a file has."""

from __future__ import annotations

import sqlite3
from functools import cache

APPLICATION_ID = 0x454D5044
VERSION = 2

# The text is compared with what a file has: a change here is a new version.
_KEPT = (
    """CREATE TABLE answers (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    stage TEXT NOT NULL,
    model TEXT NOT NULL,
    sample INTEGER NOT NULL,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    tokens_in INTEGER,
    tokens_out INTEGER,
    usd REAL,
    latency_s REAL NOT NULL,
    answered_at REAL NOT NULL
)""",
    """CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    role TEXT NOT NULL,
    stage TEXT NOT NULL,
    started_at REAL NOT NULL,
    finished_at REAL,
    outcome TEXT,
    tokens INTEGER NOT NULL,
    usd REAL NOT NULL
)""",
    "CREATE INDEX attempts_by_key ON attempts (key)",
    """CREATE TABLE spent (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    calls INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    usd REAL NOT NULL
)""",
    """CREATE TABLE batches (
    intent TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    batch TEXT,
    open INTEGER NOT NULL,
    attempts TEXT NOT NULL
) WITHOUT ROWID""",
)
_OLD_PACE = "CREATE TABLE pace (name TEXT PRIMARY KEY, full_at REAL NOT NULL) WITHOUT ROWID"
_ADDED = (
    # `left_s` until the bucket is full, as of `at` on the machine's monotonic clock.
    """CREATE TABLE pace (
    name TEXT PRIMARY KEY,
    left_s REAL NOT NULL,
    at REAL NOT NULL
) WITHOUT ROWID""",
    "CREATE TABLE owners (id TEXT PRIMARY KEY, beat INTEGER NOT NULL) WITHOUT ROWID",
    # `batch` is the intent of the batch that carries the request.
    """CREATE TABLE leases (
    key TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    batch TEXT
) WITHOUT ROWID""",
    "CREATE INDEX leases_by_batch ON leases (batch)",
)
_BY_VERSION = {1: (*_KEPT, _OLD_PACE), 2: (*_KEPT, *_ADDED)}


def version_of(db: sqlite3.Connection) -> int:
    """Return the version of a ledger, 0 of an empty file.

    Raises ValueError, saying what was found, if it is anything else than a ledger: a program that
    opened it would read tables it never made, or run triggers that somebody else put there.
    """
    [(application,)] = db.execute("PRAGMA application_id").fetchall()
    [(version,)] = db.execute("PRAGMA user_version").fetchall()
    found = _shape(db)
    if not found and application == version == 0:
        return 0
    if application != APPLICATION_ID:
        raise ValueError("a database of another program\nCheck the path.")
    if version > VERSION:
        raise ValueError(
            f"a ledger of version {version}, this program reads {VERSION}\n"
            "Update the program, or use another ledger file."
        )
    expected = _expected(version) if version in _BY_VERSION else {}
    wrong = sorted(
        name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)
    )
    if wrong:
        raise ValueError(
            f"its {wrong[0]} is not a ledger's, so it was made or changed by another program\n"
            "Use another file, or import an export of this one that you trust."
        )
    return int(version)


def bring_up_to_date(db: sqlite3.Connection, version: int) -> None:
    """Make the tables, or those that `version` lacks; within a transaction of the caller.

    The old buckets held times of the wall clock, a minute's worth at most: they are dropped.
    """
    if version == 0:
        statements: tuple[str, ...] = (*_KEPT, "INSERT INTO spent VALUES (1, 0, 0, 0)", *_ADDED)
    else:
        statements = ("DROP TABLE pace", *_ADDED)
    for statement in statements:
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def _shape(db: sqlite3.Connection) -> dict[str, str]:
    """Return what stands in the schema: its text by type and name, automatic indexes left out."""
    rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {f"{kind} {name}": " ".join(str(sql).split()) for kind, name, sql in rows}


@cache
def _expected(version: int) -> dict[str, str]:
    with sqlite3.connect(":memory:") as db:
        for statement in _BY_VERSION[version]:
            db.execute(statement)
        shape = _shape(db)
    db.close()
    return shape
