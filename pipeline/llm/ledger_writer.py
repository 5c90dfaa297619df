"""A ledger that is written: made where there is none, and one transaction at a time.

Other processes write too, and one that is stopped holds the lock for as long: who waits for it
keeps nobody else waiting.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pipeline.llm.ledger_file import (
    LedgerError,
    LedgerReader,
    check,
    connect,
    explained,
    is_busy,
    new_file,
    write_ahead,
)
from pipeline.llm.ledger_lock import LockWait
from pipeline.llm.ledger_schema import VERSION, bring_up_to_date

T = TypeVar("T")

# How long one try to open waits for the lock.
OPEN_S = 0.2
# How long who ends waits for the lock, milliseconds.
END_MS = 2000


class LedgerWriter(LedgerReader):
    """The open file, and its transactions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with explained(path):
            self._file = new_file(path)
            self._lock = LockWait(path, self._file)
            self._turn = asyncio.Lock()
            self._open()

    def _open(self) -> None:
        self._as_it_is = False
        self._wait_for(self._connect, tried_s=OPEN_S)

    def _connect(self) -> None:
        self._db = connect(self._file.as_uri(), timeout_s=OPEN_S)
        try:
            if check(self._db, self.path, self._file) < VERSION:
                self._begin()
                with self._begun():
                    # Another process may have done it in the meantime.
                    version = check(self._db, self.path, self._file)
                    if version < VERSION:
                        bring_up_to_date(self._db, version)
            write_ahead(self._db)
            self._db.execute("PRAGMA busy_timeout = 0")  # from here on the waiting is ours
        except BaseException:
            self._db.close()
            raise

    def _wait_for(self, work: Callable[[], object], *, tried_s: float = 0.0) -> None:
        """Do `work` once nobody else has the lock that it needs; each try takes `tried_s`."""
        while not self._tried(work):
            time.sleep(self._lock.pause_s(tried_s))

    def _tried(self, work: Callable[[], object]) -> bool:
        """Do `work` unless somebody else has the lock that it needs; return whether it was done."""
        try:
            work()
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            return False
        self._lock.over()
        return True

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock for one group of statements; within `in_turn`, in its own."""
        if self._db.in_transaction:
            yield self._db
            return
        with explained(self.path):
            self._wait_for(self._begin)
            with self._begun():
                yield self._db

    def _begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _begun(self) -> Iterator[None]:
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # A failed COMMIT may already have ended the transaction.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    async def in_turn(self, work: Callable[[], T]) -> T:
        """Return what `work` does in one transaction, once those who came before have had theirs.

        While another process has the lock, all else in the event loop goes on: answers in flight
        arrive, and wait in memory. Raises LedgerError after ledger_lock.MOST_WAIT_S.
        """
        async with self._turn:
            with explained(self.path):
                while not self._tried(self._begin):  # noqa: ASYNC110  another process frees it
                    await asyncio.sleep(self._lock.pause_s())
                with self._begun():
                    return work()

    def try_at_end(self, work: Callable[[], object]) -> None:
        """Do `work` in one transaction, or leave to another run what cannot be written soon."""
        with suppress(LedgerError), explained(self.path):
            self._db.execute(f"PRAGMA busy_timeout = {END_MS}")
            self._begin()
            with self._begun():
                work()
