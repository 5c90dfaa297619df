"""Claim: with ledger, budget and lineage on, calls are as fast as the bare client's.

A mock endpoint of 50 ms latency in a process of its own, concurrency 50. Rival: `AsyncOpenAI` and a
semaphore in a loop, taking turns with ours; the figure is the median of the rounds. Memory is that
of the asking process at 3,000 and at 30,000 calls; start-up is the time to a first answer, compared
with importing the client and asking bare.
"""

from __future__ import annotations

import tempfile
from statistics import median

from benchmarks.harness import Measurement, in_process
from tests.mock_endpoint import program

CALLS = 3_000
MANY = 30_000
ROUNDS = 5


def run() -> list[Measurement]:
    """Measure calls per second beside the bare client, start-up and memory."""
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as scratch, program(latency_s=0.05) as endpoint:
        url = endpoint.base_url
        for round_ in range(ROUNDS):
            bare.append(in_process("benchmarks._teacher", "ask_bare", url, str(CALLS)))
            ledger = f"{scratch}/{round_}.sqlite"
            ours.append(
                in_process("benchmarks._teacher", "ask_ours", url, str(CALLS), ledger, "warm")
            )
        begun = []
        for round_ in range(ROUNDS):
            theirs = in_process("benchmarks._teacher", "first_bare", url)
            mine = in_process("benchmarks._teacher", "first_ours", url, f"{scratch}/s{round_}")
            begun.append(mine["seconds"] - theirs["seconds"])
        ledger = f"{scratch}/many.sqlite"
        many = in_process("benchmarks._teacher", "ask_ours", url, str(MANY), ledger, "warm")
        assert endpoint.tally()["calls"] == 2 * ROUNDS * (CALLS + 1) + MANY
    pace = median(CALLS / one["seconds"] for one in ours)
    ratios = [theirs["seconds"] / mine["seconds"] for theirs, mine in zip(bare, ours, strict=True)]
    return [
        Measurement(
            "teacher_throughput",
            pace,
            "calls/s",
            rival="AsyncOpenAI and a semaphore",
            ratio=median(ratios),
            rows=CALLS,
            peak_mib=max(one["peak_mib"] for one in ours),
        ),
        Measurement(
            "teacher_throughput_many",
            MANY / many["seconds"],
            "calls/s",
            rows=MANY,
            peak_mib=many["peak_mib"],
        ),
        Measurement(
            "teacher_startup", median(begun), "s to the first answer beyond the bare client"
        ),
    ]
