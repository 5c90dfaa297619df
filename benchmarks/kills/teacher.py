"""Claim: a stage killed while it asks a teacher pays again for nothing that was answered.

Stage `distil` is killed in mid-traffic. The mock endpoint counts calls by content: what was in
flight at the kill, at most the concurrency, may be paid again, and no committed answer; the corpus
is byte for byte that of an undisturbed run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks._teacher import CONCURRENCY, write_corpus
from benchmarks.harness import Measurement
from benchmarks.kills._answers import answers, content
from benchmarks.kills._loop import (
    Outputs,
    Subject,
    differences,
    hashes,
    how_many,
    kill_all,
    measured,
)
from benchmarks.kills._processes import is_connected
from tests.mock_endpoint import Program, program

ROWS = 1_000
LATENCY_S = 0.05


def run() -> list[Measurement]:
    """Kill the stage and let it go on."""
    return measure(rows=ROWS, kills=how_many())


def measure(*, rows: int, kills: int) -> list[Measurement]:
    """Return what became of `kills` kills on a corpus of `rows`, and what they cost."""
    with tempfile.TemporaryDirectory() as scratch, program(latency_s=LATENCY_S) as endpoint:
        subject = Distil(Path(scratch), endpoint, rows)
        tally = kill_all(subject, kills=kills)
    return [
        measured("kills_teacher", [tally], rows=rows),
        Measurement("kills_teacher_repaid", subject.repaid / kills, "calls a kill", rows=rows),
    ]


class Distil(Subject):
    """One distillation with a ledger of its own; `repaid` counts the calls made twice, of all."""

    def __init__(self, scratch: Path, endpoint: Program, rows: int) -> None:
        super().__init__(scratch / "said.log")
        self.corpus, self.out = scratch / "corpus", scratch / "out"
        self.endpoint, self.rows, self.repaid = endpoint, rows, 0
        write_corpus(self.corpus, rows)

    def reset(self) -> None:
        """Start without a ledger."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.before = self._calls()
        self.committed: dict[str, tuple[object, ...]] = {}

    def command(self) -> Sequence[str]:
        """Return the stage, as a program with paths of its own."""
        code = "import sys; from benchmarks._teacher import distil; distil(*sys.argv[1:])"
        return [sys.executable, "-c", code, self.endpoint.base_url, str(self.corpus), str(self.out)]

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the endpoint is called."""
        return is_connected(process, int(urlsplit(self.endpoint.base_url).port or 0))

    def after_kill(self) -> list[str]:
        """Note what was committed, and what it had cost."""
        self.committed = answers(self.out / "ledger.sqlite")
        self.at_kill = self._calls()
        return []

    def at_end(self) -> list[str]:
        """Return what was lost or paid again, and what was asked too often or never."""
        paid = self._calls()
        now = answers(self.out / "ledger.sqlite")
        kept = {key: value for key, value in now.items() if key in self.committed}
        again = [
            one for one in map(content, self.committed.values()) if paid[one] > self.at_kill[one]
        ]
        asked = paid - self.before
        repaid = asked.total() - len(asked)
        self.repaid += repaid
        return [
            *differences(self.committed, kept),
            *(f"request {one}: committed and paid again" for one in again),
            *([f"{repaid} calls paid twice"] if repaid > CONCURRENCY else []),
            *([f"{len(asked)} requests of {self.rows}"] if len(asked) != self.rows else []),
        ]

    def outputs(self) -> Outputs:
        """Return the completions and what was dropped."""
        return hashes(self.out / "completions.parquet", self.out / "rejections.parquet")

    def _calls(self) -> Counter[str]:
        return Counter(self.endpoint.tally()["by_content"])
