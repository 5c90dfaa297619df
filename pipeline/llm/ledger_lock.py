"""Waiting for the ledger's write lock, which a long import or a stopped process may hold."""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from pathlib import Path

from pipeline.llm.ledger_file import LedgerError, beside

MOST_WAIT_S = 900.0
SAID_AFTER_S = 5.0
MOST_PAUSE_S = 0.1
# The byte of the index that a writer locks: https://sqlite.org/walformat.html#wal_locks
_WRITE_LOCK = 120


class LockWait:
    """How long the lock was waited for since it was last free.

    The pauses are added up, not read from a clock: whoever was stopped too has not waited.
    """

    def __init__(self, path: Path, file: Path) -> None:
        self._path = path
        self._file = file
        self._waited_s = 0.0
        self._is_said = False

    def pause_s(self, tried_s: float = 0.0) -> float:
        """Return the pause until the next try; a long wait is said on standard error, once.

        `tried_s` is what the last try took. Raises LedgerError after MOST_WAIT_S in all.
        """
        if self._waited_s >= MOST_WAIT_S:
            raise LedgerError(
                f"{self._path}: cannot be written for {MOST_WAIT_S / 60:.0f} minutes, since "
                f"{self._holder()}\nThen run the same command again: every answer committed so "
                "far is kept."
            )
        if self._waited_s >= SAID_AFTER_S and not self._is_said:
            self._is_said = True
            sys.stderr.write(
                f"{self._path}: waiting up to {MOST_WAIT_S / 60:.0f} minutes, since "
                f"{self._holder()} Answers that arrive meanwhile are kept.\n"
            )
        pause_s = min(MOST_PAUSE_S, max(0.001, self._waited_s / 4))
        self._waited_s += tried_s + pause_s
        return pause_s

    def over(self) -> None:
        """Note that the lock was free."""
        if self._is_said:
            sys.stderr.write(f"{self._path}: can be written again, going on.\n")
        self._waited_s, self._is_said = 0.0, False

    def _holder(self) -> str:
        pid = holder(self._file)
        if pid is None:
            return "another program holds its lock: let it finish, or end it."
        if _is_stopped(pid):
            return (
                f"process {pid} holds its lock and is stopped: "
                f"let it go on (kill -CONT {pid}), or end it (kill -KILL {pid})."
            )
        return f"process {pid} holds its lock: let it finish, or end it."


def holder(file: Path) -> int | None:
    """Return the process that has the write lock of a ledger, None if that cannot be known.

    The kernel's list is read, and never the files: to close one would drop our own locks on it.
    """
    inodes = {}
    for place in (file, beside(file)["-shm"]):
        with suppress(OSError):
            inodes[str(place.stat().st_ino)] = place
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/locks").read_text().splitlines():
            if "->" in line:  # who waits for a lock
                continue
            _, kind, _, access, pid, node, first, last = line.split()[:8]
            at = inodes.get(node.rpartition(":")[2])
            if at is None or (kind, access) != ("POSIX", "WRITE") or int(pid) in (0, os.getpid()):
                continue
            end = math.inf if last == "EOF" else int(last)
            if at == file or int(first) <= _WRITE_LOCK <= end:
                return int(pid)
    return None


def _is_stopped(pid: int) -> bool:
    with suppress(OSError, IndexError):
        # After the name, which may hold anything, in parentheses.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt"
    return False
