"""Claim: `annotate push` killed in mid-traffic is completed by the next: no record lost or doubled.

On a live server. Records, notes and who is assigned are those of an undisturbed push, and every
account opens with its password.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Measurement
from benchmarks.kills._argilla import ROUND, OnServer, server
from benchmarks.kills._loop import how_many, kill_all, measured
from pipeline.annotation.server_client import dataset_name

ROWS = 500


def run() -> list[Measurement]:
    """Kill pushes of one round."""
    with tempfile.TemporaryDirectory() as scratch, server(Path(scratch)) as at:
        tally = kill_all(Push(Path(scratch), at, ROWS), kills=how_many())
    return [measured("kills_push", [tally], rows=ROWS)]


class Push(OnServer):
    """One push to two new annotators."""

    dataset = dataset_name(int(ROUND))
    people = ("ann", "ben")

    def command(self) -> Sequence[str]:
        """Return the push."""
        return [*self.annotate("push", *self.tables()), "--annotators", ",".join(self.people)]
