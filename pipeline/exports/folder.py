"""A folder that is there whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from pipeline.errors import PipelineError


class TargetError(PipelineError):
    """The folder to write cannot be written."""


class AtomicFolder:
    """A folder to fill that takes the place of `target` only when all went well.

    It is filled beside its target, under a fixed hidden name: an error or Ctrl-C removes it, and
    what a killed run left there is removed by the next. `target` may be missing or empty.
    """

    def __init__(self, target: Path) -> None:
        self.target = Path(os.path.abspath(target))  # noqa: PTH100  a link stays a link
        self.path = self.target.with_name(f".{self.target.name}.part")
        self._lock: int | None = None

    def __enter__(self) -> Path:
        self._refuse_what_is_there()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in self.path.iterdir():
                _remove(left)
        except BlockingIOError as error:
            self._release()
            raise TargetError(
                f"{self.target}: another export is writing it\n"
                "Wait for it, or choose another --out."
            ) from error
        except OSError as error:
            self._release()
            raise TargetError(f"{self.target}: {error.strerror}\nChoose another --out.") from error
        return self.path

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, _: object
    ) -> None:
        try:
            if exc_type is None:
                _flush(self.path)
                os.replace(self.path, self.target)
        except OSError as error:
            exc = error
            self._refuse_what_is_there()
        finally:
            if self.path.is_dir():
                shutil.rmtree(self.path, ignore_errors=True)
            self._release()
        if isinstance(exc, OSError):
            raise TargetError(
                f"{self.target}: {exc.strerror or exc}\n"
                "Nothing was kept. Free disk space or choose another --out, and run it again."
            ) from exc

    def _refuse_what_is_there(self) -> None:
        if self.target.exists() and not self.target.is_dir():
            raise TargetError(f"{self.target}: a file, not a folder\nChoose another --out.")
        if self.target.is_dir() and any(self.target.iterdir()):
            raise TargetError(
                f"{self.target}: not empty\nNothing is written over: choose another --out."
            )

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _flush(folder: Path) -> None:
    """Make files and names reach the disk before the folder gets its name."""
    for path in (*folder.rglob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
