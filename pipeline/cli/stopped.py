"""Notes of stages that did not end well: DVC keeps none, and the first page wants to show them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote

from pipeline.errors import TargetError

NOTES = Path(".distillery/stopped")


@contextmanager
def noted() -> Iterator[None]:
    """While DVC runs a stage, keep a note that only a good end takes away.

    It is empty until the stage stops with an error; a killed stage leaves it so.
    """
    stage = os.environ.get("DVC_STAGE")
    if not stage:
        yield
        return
    note = NOTES / quote(stage, safe="@")
    _write(note, "")
    try:
        yield
    except SystemExit as end:
        if end.code:
            _write_if_it_can_be(note, f"ended with code {end.code}")
        else:
            note.unlink(missing_ok=True)
        raise
    except BaseException as error:
        _write_if_it_can_be(note, str(error) or type(error).__name__)
        raise
    note.unlink(missing_ok=True)


def _write(note: Path, text: str) -> None:
    from pipeline.storage import AtomicFile

    with AtomicFile(note) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def _write_if_it_can_be(note: Path, text: str) -> None:
    """Write a note unless the disk is full, which may be why the stage stops."""
    with suppress(TargetError):
        _write(note, text)


def read_notes(folder: Path) -> dict[str, str]:
    """Return the stages of `folder` that stopped, and why; "" for one that was killed or runs."""
    return {
        unquote(note.name): note.read_text(encoding="utf-8")
        for note in sorted((folder / NOTES).glob("[!.]*"))
    }
