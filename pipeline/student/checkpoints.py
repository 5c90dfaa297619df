"""Checkpoints of a run: outside DVC's outputs, in a folder named by what is being trained."""

from __future__ import annotations

import shutil
from pathlib import Path

# Written last: a checkpoint without it was cut off while being saved.
COMPLETE = "complete"


def last_checkpoint(work: Path) -> Path | None:
    """Return the last whole checkpoint in `work`, and drop what a killed run left half-written."""
    whole = []
    for folder in work.glob("checkpoint-*"):
        if (folder / COMPLETE).is_file():
            whole.append(folder)
        else:
            shutil.rmtree(folder)
    return max(whole, key=lambda folder: int(folder.name.rsplit("-", 1)[1]), default=None)
