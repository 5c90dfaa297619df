"""Notes of stages that did not end well: DVC keeps none, and the first page wants to show them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

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
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text("", encoding="utf-8")
    try:
        yield
    except SystemExit as end:
        if end.code:
            note.write_text(f"ended with code {end.code}", encoding="utf-8")
        else:
            note.unlink(missing_ok=True)
        raise
    except BaseException as error:
        why = str(error) or type(error).__name__
        note.write_text(why, encoding="utf-8", errors="backslashreplace")
        raise
    note.unlink(missing_ok=True)


def read_notes(folder: Path) -> dict[str, str]:
    """Return the stages of `folder` that stopped, and why; "" for one that was killed or runs."""
    return {
        unquote(note.name): note.read_text(encoding="utf-8")
        for note in sorted((folder / NOTES).glob("*"))
    }
