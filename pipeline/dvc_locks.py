"""What a killed DVC leaves behind, found and mended: `.dvc/tmp/rwlock` and `dvc.lock`.

DVC rewrites both in place. In the first it keeps which process reads and writes which path, in the
second what each stage was built from. Killed while it writes, it leaves a file that no later
command can read. Killed while a stage runs, it leaves its number in the first, which DVC takes for
alive if another process has that number by now.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
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
RECORD = "dvc.lock"
CONFLICT = ("<<<<<<< ", ">>>>>>> ")
_STAGE = re.compile(r"  [^ ].*:$")
# Between what a file's time and a process's start are counted by, seconds.
SLACK_S = 2.0


class DvcBusyError(PipelineError):
    """A DVC process is at work in the folder."""


def find_problem(folder: Path) -> str | None:
    """Return what a killed DVC left in the files of `folder`, None if nothing."""
    return _problem_of_locks(folder) or _problem_of_record(folder)


def mend_locks(folder: Path) -> str | None:
    """Mend the files of `folder`; return what was wrong, None if nothing was.

    Of a half-written `dvc.lock` the whole stages are kept; those that it lost DVC finds again in
    its cache, or builds. Raises DvcBusyError, with nothing changed, if a DVC process is at work.
    """
    if find_problem(folder) is None:
        return None
    problems = []
    with _held(folder):  # whoever was writing may have finished
        if problem := _problem_of_locks(folder):
            problems.append(problem)
            _require_file(_file(folder))
            users = _users(_file(folder)) or {}
            with AtomicFile(_file(folder)) as part:
                part.write_text(json.dumps(_without_gone(users, _file(folder))), encoding="utf-8")
        if problem := _problem_of_record(folder):
            problems.append(problem)
            _keep_whole_stages(folder / RECORD)
    return "; ".join(problems) or None


def _problem_of_locks(folder: Path) -> str | None:
    path = _file(folder)
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file():
        return f"{path} is no file"
    users = _users(path)
    if users is None:
        return f"{path} is {path.stat().st_size} bytes of no JSON: DVC was killed while it wrote it"
    gone = sorted({user["pid"] for user in _all(users) if not _is_dvc(user["pid"], path)})
    if gone:
        return f"{path} is held for process {', '.join(map(str, gone))}, which is gone"
    return None


def _require_file(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise PipelineError(
            f"{path}: no file, so not DVC's\nRemove it, then run the command again."
        )


def _problem_of_record(folder: Path) -> str | None:
    path = folder / RECORD
    if path.is_symlink() or not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    if _is_record(text) or any(mark in text for mark in CONFLICT):
        return None  # a merge is for a person to end
    return f"{path} ends in the middle: DVC was killed while it wrote it"


def _is_record(text: str) -> bool:
    """Whether DVC can read `text` as its `dvc.lock`."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import ParseError, parse_yaml
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(text, RECORD))
    except (ParseError, Invalid, ValueError, RecursionError):
        return False
    return True


def _keep_whole_stages(path: Path) -> None:
    """Cut a half-written `dvc.lock` before its last stage; without a whole one it goes."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    starts = [at for at, line in enumerate(lines) if _STAGE.match(line)]
    for start in reversed(starts[1:]):
        kept = "".join(lines[:start])
        if _is_record(kept):
            with AtomicFile(path) as part:
                part.write_text(kept, encoding="utf-8")
            return
    path.unlink()


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


def _without_gone(users: dict[str, dict[str, Any]], file: Path) -> dict[str, dict[str, Any]]:
    write = users.get("write", {}).items()
    read = {
        path: [reader for reader in readers if _is_dvc(reader["pid"], file)]
        for path, readers in users.get("read", {}).items()
    }
    return {
        "write": {path: writer for path, writer in write if _is_dvc(writer["pid"], file)},
        "read": {path: readers for path, readers in read.items() if readers},
    }


def _is_dvc(pid: int, file: Path) -> bool:
    """Whether the process that wrote its number `pid` into `file` may still be at work.

    One that started after `file` was written has only got the number of another. One that started
    before is DVC, or a program that uses it: a notebook has no `dvc` in its command.
    """
    import psutil

    if not 0 < pid < 2**31:
        return False
    try:
        process = psutil.Process(pid)
        if process.create_time() > file.stat().st_mtime + SLACK_S:
            return False
        command = process.cmdline()
    except psutil.NoSuchProcess:
        return False
    except (psutil.AccessDenied, OSError):
        return True
    # One that has just begun has no command yet.
    return not command or any(name in word for word in command for name in ("dvc", "python"))


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
