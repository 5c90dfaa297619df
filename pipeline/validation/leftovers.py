"""Tables of an earlier build, of a corpus that params.yaml no longer names."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.errors import PipelineError


def refuse_leftovers(named: Mapping[Path, Collection[str]]) -> None:
    """Raise PipelineError if a folder of `named` has a table of another name than those.

    Stages read such folders whole, and DVC leaves in them what a stage wrote that is no more: it
    would be audited and learned from as if it were of this build.
    """
    left = [
        path
        for folder, names in named.items()
        for path in sorted(folder.glob("*.parquet"))
        if path.stem not in names
    ]
    if left:
        raise PipelineError(
            f"{left[0]}: params.yaml names no {left[0].stem!r}, so this is of an earlier build; "
            f"{len(left)} such table(s)\nRemove what was built (kept answers stay): make clean\n"
            f"Or these alone: rm {shlex.join(map(str, left))}"
        )
