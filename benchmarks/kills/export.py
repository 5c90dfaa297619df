"""Claim: an export that is killed leaves nothing or all of it, and the next one is the same.

Made rows are exported as JSON Lines. What stands at `--out` after a kill must be whole,
since nobody can tell a half of it; beside it nothing may be left once the next run is through.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.export import write_corpus
from benchmarks.harness import Measurement
from benchmarks.kills._loop import (
    Outputs,
    Subject,
    differences,
    hashes,
    how_many,
    kill_all,
    measured,
)

ROWS = 100_000
FORMAT = "llama-factory"


def run() -> list[Measurement]:
    """Kill exports of one corpus."""
    with tempfile.TemporaryDirectory() as scratch:
        tally = kill_all(Export(Path(scratch), ROWS), kills=how_many())
    return [measured("kills_export", [tally], rows=ROWS)]


class Export(Subject):
    """One export into a folder of its own, where all that it leaves can be seen."""

    def __init__(self, scratch: Path, rows: int) -> None:
        super().__init__(scratch / "said.log")
        self.build, self.place = scratch / "build", scratch / "place"
        self.whole: Outputs | None = None
        write_corpus(self.build, rows)

    def reset(self) -> None:
        """Remove what earlier runs wrote."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()

    def command(self) -> Sequence[str]:
        """Return the export of the corpus; a card of one line stands in for the real one."""
        code = "import sys, benchmarks.export as m; m.export(*sys.argv[1:])"
        return [sys.executable, "-c", code, str(self.build), FORMAT, str(self.place / "out")]

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether anything is written."""
        return any(self.place.iterdir())

    def is_done(self) -> bool:
        """Return whether the folder stands."""
        return (self.place / "out").exists()

    def after_kill(self) -> list[str]:
        """Return what a reader of the killed export's folder would miss."""
        assert self.whole is not None
        found = hashes(self.place / "out") if self.is_done() else self.whole
        return [f"after the kill: {line}" for line in differences(self.whole, found)]

    def outputs(self) -> Outputs:
        """Return all files beside and below `--out`."""
        found = hashes(self.place)
        self.whole = self.whole or hashes(self.place / "out")
        return found
