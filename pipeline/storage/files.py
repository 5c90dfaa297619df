"""A file that is there whole, or as it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import REFUSALS, TargetError
from pipeline.storage.claims import Claim, fresh_name, kind_of, left_overs, require_file

_NOFOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC


class AtomicFile:
    """A path to fill that takes the place of `target` only when all went well.

    It is an empty file under a name beside the target that nobody can guess. `mode` is 0o600 for a
    secret. Raises TargetError if the target is no file, another process writes it, or the disk
    refuses; then, and after any error within the block, the target is as it was.
    """

    def __init__(self, target: Path, *, mode: int = 0o666) -> None:
        self.target = target
        self.path = fresh_name(target) if target.name else target  # a root is refused below
        self._mode = mode
        self._claim = ExitStack()

    def __enter__(self) -> Path:
        try:
            require_file(self.target)
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self._claim.enter_context(Claim(self.target))
            for left in left_overs(self.target):
                if kind_of(left) == "a file":
                    left.unlink()
            part = os.open(self.path, os.O_CREAT | os.O_EXCL | _NOFOLLOW, self._mode)
            try:
                if self.target.exists():  # who else may use it stays as its owner chose
                    others = stat.S_IMODE(self.target.stat().st_mode) & 0o077
                    os.fchmod(part, 0o600 | (others & self._mode))
            finally:
                os.close(part)
        except OSError as error:
            self._claim.close()
            raise TargetError.of(self.target, error) from error
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        group = _GROUP.get()
        try:
            if error is None:
                flush(self.path)
                require_file(self.target)
                if group is not None:
                    group.append(self)
                    return
                self._put_in_place()
        except OSError as refused:
            error = refused
        finally:
            if group is None or self not in group:
                self._end()
        if isinstance(error, OSError) and is_about(error, self.path):
            raise TargetError.of(self.target, error) from error
        if kind is None and error is not None:
            raise error

    def _put_in_place(self) -> None:
        os.replace(self.path, self.target)
        flush(self.target.parent)

    def _end(self) -> None:
        self.path.unlink(missing_ok=True)
        self._claim.close()


_GROUP: ContextVar[list[AtomicFile] | None] = ContextVar("_GROUP", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Put the files that are written in the block in place at its end: all of them, or none.

    Until then they cannot be read under their names.
    """
    group: list[AtomicFile] = []
    before = _GROUP.set(group)
    try:
        yield
        for file in group:
            file._put_in_place()
    finally:
        _GROUP.reset(before)
        for file in group:
            file._end()


def is_about(error: OSError, part: Path) -> bool:
    """Return whether the machine refused to write `part`, and not to read some other file."""
    named = error.filename is None or str(error.filename).startswith(str(part))
    return named and error.errno in REFUSALS


def flush(path: Path) -> None:
    """Make a file, or the names in a folder, reach the disk.

    A folder may be reached by a link, as people lay them.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if path.is_dir() else os.O_NOFOLLOW))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_log(path: Path, *, anew: bool = False) -> BinaryIO:
    """Open the log `path` to add to it, or anew; raises TargetError if it is no file."""
    require_file(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NOFOLLOW | (os.O_TRUNC if anew else 0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, flags, 0o666), "ab")
    except OSError as error:
        raise TargetError.of(path, error) from error
