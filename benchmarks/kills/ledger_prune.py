"""Claim: `distillery ledger prune` killed at any instant deletes what was chosen, or nothing.

Of two stages' answers one is pruned. After a kill all of its answers are there or none, the other
stage's all, and what was spent stays counted; the next run ends as an undisturbed one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Measurement
from benchmarks.kills._answers import answers, ask, problems_of_file
from benchmarks.kills._loop import Outputs, Subject, differences, how_many, kill_all, measured
from pipeline.llm.ledger_transfer import import_answers, ledger_stats

ROWS = 4_000


def run() -> list[Measurement]:
    """Kill prunes of one ledger."""
    with tempfile.TemporaryDirectory() as scratch:
        tally = kill_all(Prune(Path(scratch), ROWS), kills=how_many())
    return [measured("kills_ledger_prune", [tally], rows=ROWS)]


class Prune(Subject):
    """One prune of a stage."""

    def __init__(self, scratch: Path, rows: int) -> None:
        super().__init__(scratch / "said.log")
        self.full, source = scratch / "full.sqlite", scratch / "answers.jsonl"
        ask(rows, source)
        import_answers(self.full, source)
        self.all, self.dropped = answers(self.full), answers(self.full, stage="dropped")
        self.kept, self.spent = answers(self.full, stage="kept"), ledger_stats(self.full)[0]
        self.ledger = scratch / "ledger" / "ledger.sqlite"

    def reset(self) -> None:
        """Start from the full ledger."""
        shutil.rmtree(self.ledger.parent, ignore_errors=True)
        self.ledger.parent.mkdir()
        shutil.copy(self.full, self.ledger)

    def command(self) -> Sequence[str]:
        """Return the prune."""
        chosen = ["--stage", "dropped", "--yes", "--ledger", str(self.ledger)]
        return [sys.executable, "-m", "pipeline", "ledger", "prune", *chosen]

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the ledger is open: its log file is there."""
        return self.ledger.with_name("ledger.sqlite-wal").exists()

    def after_kill(self) -> list[str]:
        """Return what is lost of the stage that stays, and a half of the one that goes."""
        found = answers(self.ledger)
        half = set(found) & set(self.dropped) if len(found) != len(self.all) else set()
        rest = {key: value for key, value in found.items() if key in self.kept}
        return differences(self.kept, rest) + [f"{key}: half a prune" for key in sorted(half)]

    def at_end(self) -> list[str]:
        """Return what is wrong with the file and with what was spent."""
        spent = ledger_stats(self.ledger)[0]
        wrong = [] if spent == self.spent else [f"spent {spent}, was {self.spent}"]
        return problems_of_file(self.ledger) + wrong

    def outputs(self) -> Outputs:
        """Return the answers by key."""
        return answers(self.ledger)
