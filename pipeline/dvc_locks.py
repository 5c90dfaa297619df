"""What a killed DVC leaves behind, found and mended: `.dvc/tmp/rwlock`.

DVC keeps in that file which process reads and writes which path, and rewrites it in place. Killed
while it does, it leaves a file that no later command can read. Killed while a stage runs, it leaves
its number there, which DVC takes for alive if another process has that number by now.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.storage import AtomicFile

# DVC itself waits as long for its locks.
WAIT_S = 3.0
# What DVC holds (flock) while it rewrites the file, and while it changes the workspace.
HELD_WHILE_WRITING = ("rwlock.lock", "lock")


class DvcBusyError(PipelineError):
    """A DVC process is at work in the folder."""


def find_problem(folder: Path) -> str | None:
    """Return what a killed DVC left in the lock file of `folder`, None if nothing."""
    path = _file(folder)
    if not path.is_file():
        return None
    users = _users(path)
    if users is None:
        return f"{path} is {path.stat().st_size} bytes of no JSON: DVC was killed while it wrote it"
    gone = sorted({user["pid"] for user in _all(users) if not _is_dvc(user["pid"])})
    if gone:
        return f"{path} is held for process {', '.join(map(str, gone))}, which is gone"
    return None


def mend_locks(folder: Path) -> str | None:
    """Mend the lock file of `folder`; return what was wrong, None if nothing was.

    Raises DvcBusyError, with nothing changed, if a DVC process holds it.
    """
    if find_problem(folder) is None:
        return None
    with _held(folder):
        problem = find_problem(folder)  # whoever was writing may have finished
        if problem is not None:
            users = _users(_file(folder)) or {}
            with AtomicFile(_file(folder)) as part:
                part.write_text(json.dumps(_without_gone(users)), encoding="utf-8")
    return problem


def _file(folder: Path) -> Path:
    return folder / ".dvc" / "tmp" / "rwlock"


def _users(path: Path) -> dict[str, dict[str, Any]] | None:
    """Return the file as DVC reads it, None where DVC could not."""
    from dvc.rwlock import SCHEMA
    from voluptuous import Invalid

    try:
        users: dict[str, dict[str, Any]] = SCHEMA(json.loads(path.read_bytes()))
    except (ValueError, RecursionError, Invalid):
        return None
    return users


def _all(users: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from users["write"].values()
    for readers in users["read"].values():
        yield from readers


def _without_gone(users: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    write = users.get("write", {}).items()
    read = {
        path: [reader for reader in readers if _is_dvc(reader["pid"])]
        for path, readers in users.get("read", {}).items()
    }
    return {
        "write": {path: writer for path, writer in write if _is_dvc(writer["pid"])},
        "read": {path: readers for path, readers in read.items() if readers},
    }


def _is_dvc(pid: int) -> bool:
    """Whether a process of that number lives and may be DVC."""
    if not 0 < pid < 2**31:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # a system that does not say
        return True
    return not command or b"dvc" in command  # one that has just begun has no command yet


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold what DVC holds while it works, such that none is at work in the block."""
    with ExitStack() as stack:
        for name in HELD_WHILE_WRITING:
            path = _file(folder).with_name(name)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            stream = stack.enter_context(os.fdopen(os.open(path, flags, 0o666), "r+b"))
            until = time.monotonic() + WAIT_S
            while not _lock(stream.fileno()):
                if time.monotonic() > until:
                    raise DvcBusyError(
                        f"{path}: held by a DVC process that is at work\n"
                        "Wait until it ends, then run the same command again."
                    )
                time.sleep(0.05)
        yield


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
