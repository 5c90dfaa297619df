"""A folder that is there whole, or as it was."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from pipeline.errors import TargetError
from pipeline.storage.claims import Claim, fresh_name, kind_of, left_overs
from pipeline.storage.files import flush, is_about

# In each folder that may be replaced: what it is, and which files in it are ours.
MARKER = ".made-by-distillery"
_OTHER = "Nothing is written over: choose another --out, or move the folder away."


class AtomicFolder:
    """A folder to fill that takes the place of `target` only when all went well.

    `target` may be missing or empty. With `what`, which says what is made, it may also be an
    earlier folder of that kind: its marker proves it, or, where one was made before there were
    markers, `known`. A file in it that is not ours, and may be someone's work, is never deleted; if
    the folder `grows` later, as an environment does, all in it counts as ours.

    The old folder is kept beside the new one until that stands; what a killed run left is put back
    or removed by the next. Raises TargetError if the target may not be replaced, another process
    writes it, or the disk refuses; the target is then as it was.
    """

    def __init__(
        self,
        target: Path,
        *,
        what: str | None = None,
        known: Callable[[Path], bool] | None = None,
        grows: bool = False,
    ) -> None:
        self.target = Path(os.path.abspath(target))  # noqa: PTH100  a link stays a link
        self._work = fresh_name(self.target) if self.target.name else self.target  # refused below
        self.path = self._work / "new"
        self._what, self._known, self._grows = what, known, grows
        self._claim = ExitStack()

    def __enter__(self) -> Path:
        try:
            self.check()
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self._claim.enter_context(Claim(self.target))
            for left in left_overs(self.target):
                self._mend(left)
            self.check()
            self._work.mkdir(mode=0o700)
            _mark(self._work, {"what": "work"})
            self.path.mkdir()
        except OSError as error:
            self._end()
            raise TargetError.of(self.target, error) from error
        except TargetError:
            self._end()
            raise
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        try:
            if error is None:
                self._put_in_place()
        except OSError as refused:
            error = refused
            self.check()
        finally:
            self._end()
        if isinstance(error, OSError) and is_about(error, self._work):
            raise TargetError.of(self.target, error) from error
        if isinstance(error, TargetError) and self.path in error.path.parents:
            shown = self.target / error.path.relative_to(self.path)
            raise TargetError(shown, error.problem, hint=error.hint) from error
        if kind is None and error is not None:
            raise error

    def _put_in_place(self) -> None:
        if self._what is not None:
            files = None if self._grows else sorted(_files(self.path))
            _mark(self.path, {"what": self._what, "files": files})
        for path in (*self.path.rglob("*"), self.path):
            if not path.is_symlink():
                flush(path)
        self.check()
        if self.target.is_dir() and any(self.target.iterdir()):
            self.target.rename(self._work / "old")
        self.path.rename(self.target)
        flush(self.target.parent)

    def _end(self) -> None:
        """Leave nothing beside the target, and the target as it was if it was moved away."""
        if kind_of(self._work) == "a folder" and self._work != self.target:
            self._mend(self._work)
        self._claim.close()

    def _mend(self, left: Path) -> None:
        """Remove a folder of ours beside the target; what was moved away for it is put back."""
        if kind_of(left) != "a folder":
            return
        if kind_of(left / MARKER) != "a file":
            with suppress(OSError):
                left.rmdir()  # the marker was not written yet, and so nothing else
            return
        if kind_of(left / "old") == "a folder" and kind_of(self.target) is None:
            (left / "old").rename(self.target)
        for part in ("new", "old", "."):  # the marker last: a kill here leaves it, too
            shutil.rmtree(left / part, ignore_errors=True)

    def check(self) -> None:
        """Raise TargetError if the target may not be replaced."""
        found = kind_of(self.target)
        if found not in (None, "a folder"):
            raise TargetError(self.target, f"{found}, not a folder", hint="Choose another --out.")
        here, real = Path.cwd(), Path(os.path.realpath(self.target))
        if not self.target.name or real == here or real in here.parents:
            raise TargetError(
                self.target, "the current folder, or one above it", hint="Choose another --out."
            )
        if self.target.is_mount():
            raise TargetError(self.target, "a disk of its own", hint="Choose a folder on it.")
        if found is None or not any(self.target.iterdir()):
            return
        if self._what is None:
            raise TargetError(self.target, "not empty", hint=_OTHER)
        marker = _read_marker(self.target)
        if marker is None and self._known is not None and self._known(self.target):
            return
        if marker is None or marker.get("what") != self._what:
            raise TargetError(self.target, "not empty, and not made by this command", hint=_OTHER)
        ours = marker.get("files")
        for name in sorted(_files(self.target)):
            if ours is not None and name not in ours:
                raise TargetError(
                    self.target, f"holds {name}, which this command did not write", hint=_OTHER
                )


def _files(folder: Path) -> Iterator[str]:
    """Yield the names of all in `folder` that are no folders, the marker apart."""
    for path in folder.rglob("*"):
        if kind_of(path) != "a folder" and path != folder / MARKER:
            yield path.relative_to(folder).as_posix()


def _mark(folder: Path, marker: dict[str, Any]) -> None:
    (folder / MARKER).write_text(json.dumps(marker, ensure_ascii=True) + "\n", encoding="ascii")


def _read_marker(folder: Path) -> dict[str, Any] | None:
    """Return what the marker of `folder` says; None if there is none that we wrote."""
    path = folder / MARKER
    if kind_of(path) != "a file":
        return None
    try:
        said = json.loads(path.read_text(encoding="ascii"))
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
