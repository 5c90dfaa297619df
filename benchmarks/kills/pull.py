"""Claim: `annotate pull` killed in mid-traffic leaves the round as it was, or whole.

On a live server, with an earlier pull of half the answers on the disk. The next pull brings what an
undisturbed one brings, byte for byte, and the server still has every answer.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import Broken, Measurement
from benchmarks.kills._argilla import ROUND, OnServer, server
from benchmarks.kills._loop import Outputs, hashes, how_many, kill_all, measured
from benchmarks.kills._processes import finish, start
from pipeline.annotation.local_argilla.home import Home
from pipeline.annotation.rounds import round_path
from pipeline.annotation.server_client import (
    connect,
    dataset_name,
    fetch_records,
    find_dataset,
)
from tests.annotation.conftest import Annotator, Local, sign_in

ROWS = 1_000
PAGE = 100
PEOPLE = ("ann", "ben")


def run() -> list[Measurement]:
    """Kill pulls of one answered round."""
    with tempfile.TemporaryDirectory() as scratch, server(Path(scratch)) as at:
        tally = kill_all(Pull(Path(scratch), at, ROWS), kills=how_many())
    return [measured("kills_pull", [tally], rows=ROWS)]


class Pull(OnServer):
    """One pull of a round that two people have answered."""

    def __init__(self, folder: Path, at: Home, rows: int) -> None:
        super().__init__(folder, at, rows)
        self.round = round_path(int(ROUND), self.place / "rounds")
        self._run([*self.annotate("push", *self.tables()), "--annotators", ",".join(PEOPLE)])
        passwords = json.loads(self.accounts.read_text())
        people = [sign_in(Local(at), name, passwords[name]) for name in PEOPLE]
        self._answer(people)
        self._run(self.command())
        self.whole = self.round.read_bytes()
        lines = self.whole.splitlines(keepends=True)
        self.half = b"".join(lines[::2])

    def _run(self, command: Sequence[str]) -> None:
        if problems := finish(start(command, cwd=self.place, log=self.log), self.log, self.limit_s):
            raise Broken([], problems)

    def _answer(self, people: Sequence[Annotator]) -> None:
        """Let everyone answer what is assigned to them."""
        for person in people:
            mine = [held for held in self._held() if person.name in held["metadata"]["assigned"]]
            given: list[tuple[Any, dict[str, Any], str]] = [
                (held["id"], {"empathy": place % 3 + 1, "safety": ["none"]}, "submitted")
                for place, held in enumerate(mine)
            ]
            for first in range(0, len(given), PAGE):
                person.answer_many(given[first : first + PAGE])

    def _held(self) -> list[dict[str, Any]]:
        client = connect(self.address)
        dataset = find_dataset(client, self.address, dataset_name(int(ROUND)))
        return list(fetch_records(client, dataset))

    def reset(self) -> None:
        """Start with every second answer on the disk."""
        for left in self.round.parent.iterdir():
            left.unlink()
        self.round.write_bytes(self.half)

    def command(self) -> Sequence[str]:
        """Return the pull."""
        return [*self.annotate("pull"), "--rounds", "rounds"]

    def after_kill(self) -> list[str]:
        """Return whether the round is neither as it was nor whole."""
        if self.round.read_bytes() in (self.half, self.whole):
            return []
        return [f"{self.round.name}: neither as before nor whole"]

    def at_end(self) -> list[str]:
        """Return whether the server has other answers than before."""
        answers = sum(len(held["responses"] or ()) for held in self._held())
        return [] if answers == self.rows else [f"{answers} answers on the server of {self.rows}"]

    def outputs(self) -> Outputs:
        """Return the round, and whatever lies beside it."""
        return hashes(self.round.parent)
