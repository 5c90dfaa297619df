"""Who is paying for what: a request that one process pays for, the others wait for.

A process that pays is an owner: a random id, and a number that a thread of it raises every
`BEAT_S`. Who waits gives an owner up when that number has stood still through `STALE_BEATS` of the
waiter's own beats. No clock is read, so none can be wrong; and where nobody can write, because a
long import holds the file or the machine sleeps, nobody's beats count and nobody is given up.

An owner that was only held up finds its leases as others left them, and goes on.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from pipeline.llm.ledger_file import connect, is_busy

BEAT_S = 0.5
STALE_BEATS = 10
# How long one look at the leases serves all that wait.
LOOK_S = 0.1
# Who was given up while held up, and beats, is alive again.
_BEAT = "INSERT INTO owners VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET beat = beat + 1"
_ALIVE = "SELECT 1 FROM owners WHERE id = ?"


class Leases:
    """The leases of one open ledger; each statement is within a transaction of the caller."""

    def __init__(self, db: sqlite3.Connection, file: Path) -> None:
        self._db = db
        self._file = file
        self._me = uuid.uuid4().hex
        self._beats = 0
        self._stop = threading.Event()
        self._heart: threading.Thread | None = None
        # Of each other owner: its number, and our own beats when it was first seen.
        self._seen: dict[str, tuple[int, int]] = {}
        self._held: frozenset[str] = frozenset()
        self._looked_at = -LOOK_S

    def taken(self, keys: Sequence[str], *, batches_at: str | None) -> frozenset[str]:
        """Return which requests are answered, leased by a living owner, or in an open batch.

        A batch of an owner that is gone is waiting to be taken up by who sends batches to
        `batches_at`; to others it is nothing.
        """
        return frozenset(key for key in keys if self._is_taken(key, batches_at))

    def _is_taken(self, key: str, batches_at: str | None) -> bool:
        if self._one("SELECT 1 FROM answers WHERE key = ?", key):
            return True
        lease = self._one("SELECT owner, batch FROM leases WHERE key = ?", key)
        if lease is None or lease[0] == self._me:
            return False
        if self._one(_ALIVE, lease[0]):
            return True
        open_there = "SELECT 1 FROM batches WHERE intent = ? AND open AND endpoint = ?"
        return batches_at is not None and self._one(open_there, lease[1], batches_at) is not None

    def take(self, keys: Sequence[str], batch: str | None = None) -> None:
        """Lease requests to this process; `batch` is the intent of the batch that carries them."""
        self.start()
        self._db.execute("INSERT OR IGNORE INTO owners VALUES (?, 0)", (self._me,))
        self._db.executemany(
            "INSERT OR REPLACE INTO leases VALUES (?, ?, ?)",
            [(key, self._me, batch) for key in keys],
        )

    def take_batch(self, intent: str, keys: Sequence[str]) -> bool:
        """Lease a batch with all it carries, unless another living process has it."""
        lease = self._one("SELECT owner FROM leases WHERE key = ?", intent)
        if lease is not None and (lease[0] == self._me or self._one(_ALIVE, lease[0])):
            return False
        self.take([intent, *keys], intent)
        return True

    def end(self, keys: Sequence[str]) -> None:
        """End the leases of requests that are answered, whoever has them."""
        self._db.executemany("DELETE FROM leases WHERE key = ?", [(key,) for key in keys])

    def end_batch(self, intent: str) -> None:
        """End the leases of all that a batch carried."""
        self._db.execute("DELETE FROM leases WHERE batch = ?", (intent,))

    def release(self, keys: Sequence[str]) -> None:
        """End this process's leases of requests that no batch carries."""
        self._db.executemany(
            "DELETE FROM leases WHERE key = ? AND owner = ? AND batch IS NULL",
            [(key, self._me) for key in keys],
        )

    def held(self) -> frozenset[str]:
        """Return what living others have leased; owners that are gone are taken off the list."""
        self.start()
        if time.monotonic() - self._looked_at >= LOOK_S:
            self._held = self._look()
            self._looked_at = time.monotonic()
        return self._held

    def _look(self) -> frozenset[str]:
        rows = self._db.execute(
            "SELECT leases.key, owners.id, owners.beat FROM leases"
            " JOIN owners ON owners.id = leases.owner WHERE owners.id <> ?",
            (self._me,),
        ).fetchall()
        gone = {owner for owner, beat in {row[1:] for row in rows} if self._is_gone(owner, beat)}
        return frozenset(key for key, owner, _ in rows if owner not in gone)

    def _is_gone(self, owner: str, beat: int) -> bool:
        last, since = self._seen.get(owner, (None, 0))
        if last != beat:
            self._seen[owner] = (beat, self._beats)
            return False
        if self._beats - since < STALE_BEATS:
            return False
        # Its leases stay, worth nothing until it beats again; its batches wait to be taken up.
        delete = "DELETE FROM owners WHERE id = ? AND beat = ?"
        try:
            return self._db.execute(delete, (owner, beat)).rowcount == 1
        except sqlite3.OperationalError as error:
            if is_busy(error):  # the next look may find the file free
                return False
            raise

    def start(self) -> None:
        """Begin to beat."""
        if self._heart is None:
            db = connect(self._file.as_uri(), timeout_s=5, any_thread=True)
            self._heart = threading.Thread(
                target=self._beat, args=(db,), name="ledger-owner", daemon=True
            )
            self._heart.start()

    def _beat(self, db: sqlite3.Connection) -> None:
        with closing(db):
            while not self._stop.wait(BEAT_S):
                # A full disk or a locked file is told by whoever wants to write an answer.
                with suppress(sqlite3.Error):
                    db.execute(_BEAT, (self._me,))
                    self._beats += 1

    def stop(self) -> bool:
        """Beat no more; return whether this process ever did."""
        self._stop.set()
        if self._heart is None:
            return False
        self._heart.join()
        return True

    def release_all(self) -> None:
        """End this process's leases of all that no batch carries."""
        self._db.execute("DELETE FROM leases WHERE owner = ? AND batch IS NULL", (self._me,))

    def leave(self) -> None:
        """Leave the list of owners."""
        self._db.execute("DELETE FROM owners WHERE id = ?", (self._me,))

    def _one(self, query: str, *values: object) -> tuple[object, ...] | None:
        row: tuple[object, ...] | None = self._db.execute(query, values).fetchone()
        return row
