"""Claim: `annotate adjudicate` killed in mid-traffic is completed by the next, as a push is.

On a live server. Every item of the round is disputed; the answers so far go with it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness import Measurement
from benchmarks.kills._argilla import ROUND, OnServer, server
from benchmarks.kills._loop import how_many, kill_all, measured
from pipeline.annotation.local_argilla.home import Home
from pipeline.annotation.rounds import round_path, write_round
from pipeline.annotation.server_client import dataset_name
from pipeline.records import Annotation, Response
from pipeline.storage import read_table

ROWS = 500


def run() -> list[Measurement]:
    """Kill adjudications of one round."""
    with tempfile.TemporaryDirectory() as scratch, server(Path(scratch)) as at:
        tally = kill_all(Adjudicate(Path(scratch), at, ROWS), kills=how_many())
    return [measured("kills_adjudicate", [tally], rows=ROWS)]


class Adjudicate(OnServer):
    """One adjudication of a round on which two annotators differ everywhere."""

    dataset = dataset_name(int(ROUND), adjudication=True)
    people = ("dora",)

    def __init__(self, folder: Path, at: Home, rows: int) -> None:
        super().__init__(folder, at, rows)
        write_round(round_path(int(ROUND), self.place / "rounds"), self._answers())

    def _answers(self) -> Iterator[Annotation]:
        for row in read_table(self.place / "source.parquet", Response):
            for annotator, value in (("a-000000000001", 1), ("a-000000000002", 3)):
                yield Annotation(
                    item_id=row.id,
                    question="empathy",
                    value=value,
                    status="submitted",
                    annotator=annotator,
                    guidelines="made",
                    origin="made",
                )

    def command(self) -> Sequence[str]:
        """Return the adjudication."""
        shown = ["--rounds", "rounds", "--show", "answers"]
        return [*self.annotate("adjudicate", *self.people, *self.tables()), *shown]
