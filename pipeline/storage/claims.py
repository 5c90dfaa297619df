"""One writer a target, and hidden names beside it that nobody can guess."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Self

from pipeline.errors import TargetError

# A file name has at most 255 bytes; what is put around a name needs fewer than 40.
_LONGEST = 200
_KINDS = {
    stat.S_ISLNK: "a link",
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}
_NOFOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC


def kind_of(path: Path) -> str | None:
    """Return what `path` is: "a file", "a folder", "a link" and so on; None if nothing is there."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    return next((name for is_it, name in _KINDS.items() if is_it(mode)), "a file")


def require_file(path: Path) -> None:
    """Raise TargetError if something other than a file is at `path`."""
    found = kind_of(path)
    if found not in (None, "a file"):
        raise TargetError(
            path,
            f"{found}, not a file",
            hint="Nothing is written over it or through it: choose another path.",
        )


def fresh_name(target: Path) -> Path:
    """Return a hidden name beside `target` that cannot be guessed."""
    return target.with_name(f".{_stem(target)}.{secrets.token_hex(8)}.part")


def left_overs(target: Path) -> Iterator[Path]:
    """Yield what is beside `target` under a name of `fresh_name`.

    Whoever holds the claim knows that nobody is using them.
    """
    pattern = re.compile(rf"\.{re.escape(_stem(target))}\.[0-9a-f]{{16}}\.part")
    yield from sorted(one for one in target.parent.iterdir() if pattern.fullmatch(one.name))


def _stem(target: Path) -> str:
    """Return the name of `target`, cut and told apart by a hash if it is very long."""
    name = os.fsencode(target.name)
    if len(name) <= _LONGEST:
        return target.name
    return f"{name[:_LONGEST].decode(errors='ignore')}~{hashlib.sha256(name).hexdigest()[:8]}"


class Claim:
    """The right to write `target`, which one process has at a time.

    It is a locked file beside the target that names its holder. The lock ends with the process,
    whatever ends it. Raises TargetError, saying who, where another process holds it.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{_stem(target)}.writer.part")
        self._lock: int | None = None

    def __enter__(self) -> Self:
        while self._lock is None:
            try:
                made = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW, 0o644)
            except FileExistsError:
                self._remove_a_dead_one()
            else:
                self._hold(made)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _hold(self, made: int) -> None:
        try:
            now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
            os.write(made, f"{os.getpid()} {now}".encode())
            _lock(made, fcntl.LOCK_EX)
            if _is_at(made, self._path):  # else it was taken for a dead one before it was locked
                self._lock = made
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            if self._lock is None:
                os.close(made)

    def _remove_a_dead_one(self) -> None:
        """Remove the file of a process that ended; it is never written to, only unlinked."""
        require_file(self._path)
        try:
            there = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | _NOFOLLOW)
        except FileNotFoundError:
            return
        try:
            _lock(there, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(there, self._path):
                self._path.unlink()
        except BlockingIOError as error:
            raise TargetError(
                self._target,
                _holder(os.read(there, 100)),
                hint="Wait for it, or choose another path.",
            ) from error
        finally:
            os.close(there)
        time.sleep(0.001)


def _lock(file: int, how: int) -> None:
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        raise
    except OSError:
        pass  # a file system without locks: there, nobody can be kept apart


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def _holder(said: bytes) -> str:
    match = re.fullmatch(rb"(\d{1,10}) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[+-]\d\d:\d\d", said)
    if not match:
        return "another process is writing it"
    pid, since = (part.decode("ascii") for part in match.groups())
    return f"process {pid} has been writing it since {since}"
