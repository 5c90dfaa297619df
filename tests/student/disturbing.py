"""Trainings in a process of their own that is watched, or killed, at what it asks of the disk."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

# What Python itself asks of the file system; torch and safetensors write in between.
ASKED = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def in_a_child(run: Callable[[], object], at_each: Callable[[], None], folder: Path) -> int:
    """Run `run` in a child that calls `at_each` before what it asks of the disk under `folder`.

    What a removal by an open folder names is not seen, so all removals count. Return how the child
    ended, as `os.waitpid` does.
    """
    child = os.fork()
    if child == 0:
        busy = False

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal busy
            if busy or event not in ASKED:
                return
            if event in {"os.remove", "os.rmdir"} or str(folder) in str(arguments[0]):
                busy = True
                at_each()
                busy = False

        code = 1
        try:
            sys.addaudithook(hook)
            run()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


def copies_of(work: Path, copies: Path, run: Callable[[], object]) -> list[Path]:
    """Return a copy of `work` for every state in which a kill could have left it."""
    copies.mkdir()
    last: list[tuple[str, int, int]] = []

    def keep() -> None:
        nonlocal last
        files = sorted(work.rglob("*")) if work.is_dir() else []
        now = [(str(one), one.stat().st_size, one.stat().st_mtime_ns) for one in files]
        if now and now != last:
            last = now
            shutil.copytree(work, copies / f"{len(list(copies.iterdir())):04d}")

    assert in_a_child(run, keep, work) == 0
    return sorted(copies.iterdir())


def kill_at(number: int, work: Path, run: Callable[[], object]) -> bool:
    """Run `run` in a child that is killed at the `number`-th thing it asks; False if it ended."""
    asked = itertools.count(1)
    return kill_when(lambda: next(asked) == number, work, run)


def kill_when(ready: Callable[[], bool], work: Path, run: Callable[[], object]) -> bool:
    """Run `run` in a child that is killed as soon as `ready`; False if it ended."""

    def look() -> None:
        if ready():
            os.kill(os.getpid(), signal.SIGKILL)

    status = in_a_child(run, look, work)
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
    return status != 0
