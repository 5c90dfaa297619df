"""Claim: a rerun with all answers in the ledger asks nobody and does not even import the client."""

from __future__ import annotations

import tempfile

from benchmarks.harness import Measurement, in_process
from tests.mock_endpoint import program

CALLS = 10_000


def run() -> list[Measurement]:
    """Answer 10,000 requests once, then again from the ledger, in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch, program() as endpoint:
        call = (endpoint.base_url, str(CALLS), f"{scratch}/ledger.sqlite")
        in_process("benchmarks._teacher", "ask_ours", *call)
        paid = endpoint.tally()["calls"]
        again = in_process("benchmarks._teacher", "ask_ours", *call)
        extra = endpoint.tally()["calls"] - paid
    assert paid == CALLS
    assert again["cached"] == CALLS
    assert extra == 0
    assert not again["imported_openai"]
    return [
        Measurement(
            "teacher_cached", again["seconds"], "s", rows=CALLS, peak_mib=again["peak_mib"]
        ),
        Measurement("teacher_cached_calls", extra, "calls", rows=CALLS),
    ]
