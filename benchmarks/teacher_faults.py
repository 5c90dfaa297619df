"""Claim: an endpoint that fails a fifth of the calls costs retries and no row.

10% of calls meet a 429, 5% a 500, 2% hang past the timeout, 1% bring broken JSON, and one
exchange fails at every attempt. All others end as completions, that one as a rejection; every
attempt is in the ledger, and no second sees more of them than the rate allows.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from benchmarks._teacher import write_corpus
from benchmarks.harness import Measurement, in_process
from pipeline.storage import count_rows
from tests.mock_endpoint import program

ROWS = 1_000
POISONED = "It happened for the 11th time"
RPM = 9_000
FAULTS = {"rate_429": 0.10, "rate_500": 0.05, "rate_hang": 0.02, "rate_malformed": 0.01}


def run() -> list[Measurement]:
    """Distil 1,000 exchanges under faults and account for every row and attempt."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_corpus(folder, ROWS)
        with program(latency_s=0.05, retry_after_s=0.2, poison=POISONED, **FAULTS) as endpoint:
            url, out = endpoint.base_url, str(folder / "out")
            done = in_process("benchmarks._teacher", "distil", url, scratch, out, "1", str(RPM))
            tally = endpoint.tally()
        completions = count_rows(folder / "out" / "completions.parquet")
        rejections = count_rows(folder / "out" / "rejections.parquet")
        with sqlite3.connect(folder / "out" / "ledger.sqlite") as db:
            rows = db.execute("SELECT started_at FROM attempts WHERE outcome NOTNULL").fetchall()
        db.close()
    assert completions + rejections == ROWS
    attempts = len(rows)
    # On a busy machine an attempt may time out before the endpoint has seen it.
    assert attempts == done["sent"] >= tally["calls"]
    busiest = _busiest_second([started_at for (started_at,) in rows])
    # One second's worth may come at once, the next refills while it runs.
    assert busiest <= 2 * RPM / 60 + 1
    return [
        Measurement("teacher_faults", ROWS / done["seconds"], "rows/s", rows=ROWS),
        Measurement("teacher_faults_rejected", rejections, "rows", rows=ROWS),
        Measurement("teacher_faults_attempts", attempts / ROWS, "attempts a row", rows=ROWS),
        Measurement("teacher_faults_busiest_second", busiest, "attempts", rows=ROWS),
    ]


def _busiest_second(starts: list[float]) -> int:
    starts = sorted(starts)
    most = first = 0
    for last, at in enumerate(starts):
        while at - starts[first] > 1:
            first += 1
        most = max(most, last - first + 1)
    return most
