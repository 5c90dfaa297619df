"""Checkpoints of a run: outside DVC's outputs, in a folder named by what is being trained.

A checkpoint counts once its mark is there. The mark is written after everything else is on the
disk, and names each file with its hash: a checkpoint that lost a file, or has half of one, is told
from a whole one, whatever a kill or a power cut left. Older ones go only after that, their marks
first, so that at every instant the last whole checkpoint is there and known as such.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.storage import file_sha256, flush, read_json, write_json

COMPLETE = "complete"
# The newest is gone on from; the one before it is there for the case that the newest is damaged.
KEPT = 2
# Anything else in the folder is somebody else's, and stays.
_NAME = re.compile(r"checkpoint-[0-9]+")


def last_checkpoint(work: Path) -> Path | None:
    """Return the last whole checkpoint in `work`, and drop what is newer or was never finished."""
    for folder in _newest_first(work):
        if _is_whole(folder):
            return folder
        _drop(folder)
    return None


def complete(folder: Path) -> None:
    """Mark the checkpoint in `folder` as whole, then drop all but the last `KEPT` beside it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in (*files, folder):
        flush(path)
    write_json(
        folder / COMPLETE, {str(path.relative_to(folder)): file_sha256(path) for path in files}
    )
    flush(folder)
    flush(folder.parent)
    for older in _newest_first(folder.parent)[KEPT:]:
        _drop(older)


def _newest_first(work: Path) -> list[Path]:
    found = [one for one in work.glob("checkpoint-*") if _NAME.fullmatch(one.name)]
    return sorted(found, key=lambda folder: int(folder.name.rsplit("-", 1)[1]), reverse=True)


def _is_whole(folder: Path) -> bool:
    if folder.is_symlink():
        return False
    try:
        hashes = read_json(folder / COMPLETE)
        # A name in the mark is looked up among the files that are there, never made a path.
        there = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
        return (
            isinstance(hashes, dict)
            and bool(hashes)
            and hashes.keys() <= there.keys()
            and all(file_sha256(there[name]) == sha256 for name, sha256 in hashes.items())
        )
    except PipelineError:  # no mark, an empty one, or a file of it that is gone
        return False


def _drop(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink()
        return
    (folder / COMPLETE).unlink(missing_ok=True)
    shutil.rmtree(folder)
