"""Claim: `distillery ledger import` killed at any instant loses no answer and adds none twice.

The ledger holds some of the answers already. After a kill these are there, with what was committed
of the file and nothing else; after the next run, all are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Measurement
from benchmarks.kills._answers import answers, ask, problems_of_file
from benchmarks.kills._loop import Outputs, Subject, differences, how_many, kill_all, measured
from pipeline.llm.ledger_transfer import import_answers

ROWS = 4_000
EVERY = 10


def run() -> list[Measurement]:
    """Kill imports of one file."""
    with tempfile.TemporaryDirectory() as scratch:
        tally = kill_all(Import(Path(scratch), ROWS), kills=how_many())
    return [measured("kills_ledger_import", [tally], rows=ROWS)]


class Import(Subject):
    """One import into a ledger that holds every tenth answer of the file."""

    def __init__(self, scratch: Path, rows: int) -> None:
        super().__init__(scratch / "said.log")
        self.source, self.part = scratch / "answers.jsonl", scratch / "part.jsonl"
        self.ledger = scratch / "ledger" / "ledger.sqlite"
        ask(rows, self.source)
        lines = self.source.read_text(encoding="utf-8").splitlines(keepends=True)
        self.part.write_text("".join(lines[::EVERY]), encoding="utf-8")
        self.keys = {json.loads(line)["key"] for line in lines}

    def reset(self) -> None:
        """Start from the ledger of every tenth answer."""
        for left in self.ledger.parent.glob("*"):
            left.unlink()
        import_answers(self.ledger, self.part)
        self.before = answers(self.ledger)

    def command(self) -> Sequence[str]:
        """Return the import."""
        arguments = ["ledger", "import", str(self.source), "--ledger", str(self.ledger)]
        return [sys.executable, "-m", "pipeline", *arguments]

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the ledger is open: its log file is there."""
        return self.ledger.with_name("ledger.sqlite-wal").exists()

    def after_kill(self) -> list[str]:
        """Return what is lost, and what no line of the file says."""
        found = answers(self.ledger)
        kept = {key: value for key, value in found.items() if key in self.before}
        return differences(self.before, kept) + [
            f"{key}: not in the file" for key in sorted(set(found) - self.keys)
        ]

    def at_end(self) -> list[str]:
        """Return what is missing of the file."""
        missing = self.keys - set(answers(self.ledger))
        return problems_of_file(self.ledger) + [f"{key}: missing" for key in sorted(missing)]

    def outputs(self) -> Outputs:
        """Return the answers by key."""
        return answers(self.ledger)
