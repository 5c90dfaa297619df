"""`server.lock`: held by the server as long as it lives, and in it who that is.

Used on both sides: by the server, and by the commands that look for it. A process id alone proves
nothing, since the system gives it to another process later; id and start together do.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from pathlib import Path
from typing import IO, Any

# A command that looks at the lock holds it for an instant.
_PATIENCE_S = 2.0


def open_regular(file: Path, flags: int) -> int:
    """Open a regular file; raises OSError for a pipe, a folder or a device.

    Nothing is waited for: a pipe that nobody writes to would hold the caller for ever.
    """
    descriptor = os.open(file, flags | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(file))
    return descriptor


def take(file: Path) -> IO[str] | None:
    """Lock `file` for this process until it ends; None if another one has it."""
    lock = os.fdopen(open_regular(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW), "r+")
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                lock.close()
                return None
            time.sleep(0.05)
        else:
            return lock


def note(lock: IO[str], *, port: int, ready: bool) -> None:
    """Write into the lock who holds it, where it listens, and whether it answers."""
    pid = os.getpid()
    facts = {"pid": pid, "born": born(pid), "port": port, "ready": ready}
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps(facts))
    lock.flush()


def read(file: Path) -> tuple[bool, dict[str, Any]]:
    """Return whether a process holds the lock `file`, and what was last noted in it."""
    try:
        descriptor = open_regular(file, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False, {}
    with os.fdopen(descriptor) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            is_held = False
        except BlockingIOError:
            is_held = True
        try:
            facts = json.loads(lock.read(1000))
        except (ValueError, RecursionError):
            facts = None
    return is_held, facts if isinstance(facts, dict) else {}


def born(pid: int) -> str | None:
    """Return when a live process started, as nothing but Linux tells it; None if there is none."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, ticks = (fields := stat.rpartition(")")[2].split())[0], fields[19]
    return None if state in "ZX" else f"{boot} {ticks}"
