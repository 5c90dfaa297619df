"""Claim: a run killed at any moment pays again for nothing that was answered and committed.

Stage `distil` is killed with SIGKILL twenty times at random moments, then run to its end. The mock
endpoint counts calls by content: what was in flight at a kill, at most the concurrency, may be paid
again; the corpus is byte for byte that of an undisturbed run.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._teacher import CONCURRENCY, write_corpus
from benchmarks.harness import ROOT, Measurement
from tests.mock_endpoint import Program, program

ROWS = 1_500
KILLS = 20


def run() -> list[Measurement]:
    """Kill the stage at random, let it finish, and compare with an undisturbed run."""
    return measure(rows=ROWS, kills=KILLS)


def measure(*, rows: int, kills: int) -> list[Measurement]:
    """Return what `kills` kills cost on a corpus of `rows`; raises AssertionError on any loss."""
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_corpus(folder, rows)
        with program(latency_s=0.05) as endpoint:
            calm = _start(endpoint, folder, folder / "calm")
            assert calm.wait() == 0
        with program(latency_s=0.05) as endpoint:
            repaid_committed = landed = 0
            for _ in range(kills):
                committed = _committed(folder / "killed")
                before = endpoint.tally()["by_content"]
                landed += _kill_midway(endpoint, folder, draw)
                after = endpoint.tally()["by_content"]
                repaid_committed += sum(after[key] - before[key] for key in committed)
            last = _start(endpoint, folder, folder / "killed")
            assert last.wait() == 0
            paid = endpoint.tally()["by_content"]
        same = _bytes(folder / "calm") == _bytes(folder / "killed")
    repaid = sum(count - 1 for count in paid.values())
    assert landed == kills, "the corpus is too small: a run ended before its kill"
    assert same, "the corpus differs from that of the undisturbed run"
    assert len(paid) == rows
    assert repaid_committed == 0
    assert repaid <= kills * CONCURRENCY
    return [
        Measurement("teacher_kill_repaid", repaid / kills, "calls a kill", rows=rows),
        Measurement("teacher_kill_repaid_committed", repaid_committed, "calls", rows=rows),
    ]


def _start(endpoint: Program, corpus: Path, out: Path) -> subprocess.Popen[bytes]:
    code = "import sys; from benchmarks._teacher import distil; distil(*sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", code, endpoint.base_url, str(corpus), str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def _kill_midway(endpoint: Program, folder: Path, draw: random.Random) -> bool:
    """Start the stage and kill it up to 0.12 s after a call; return whether it still ran."""
    before = endpoint.tally()["calls"]
    process = _start(endpoint, folder, folder / "killed")
    while endpoint.tally()["calls"] == before and process.poll() is None:
        time.sleep(0.005)
    time.sleep(draw.uniform(0, 0.12))
    still_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return still_running


def _committed(out: Path) -> list[str]:
    """Return what the endpoint calls the requests whose answers are committed."""
    path = out / "ledger.sqlite"
    if not path.is_file():
        return []
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT request FROM answers").fetchall()
    db.close()
    return [hashlib.sha256(request.encode()).hexdigest()[:16] for (request,) in rows]


def _bytes(out: Path) -> bytes:
    return (out / "completions.parquet").read_bytes()
