"""What the claims about a live Argilla share: a server, tables to push, and what arrived."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks._teacher import write_corpus
from benchmarks.annotation_server import VENV
from benchmarks.harness import ROOT, Skipped
from benchmarks.kills._loop import Outputs, Subject
from benchmarks.kills._processes import is_connected, start
from pipeline.annotation.local_argilla import home, install, process
from pipeline.annotation.server_client import Address, connect, fetch_records, find_dataset
from pipeline.records import Response, Selected
from pipeline.storage import read_table, write_table

ROUND = "1"
BLIND_EVERY = 4


@contextmanager
def server(folder: Path) -> Iterator[home.Home]:
    """Run a server with a database of its own, or skip."""
    at = home.home_at(folder / "argilla", VENV)
    if not install.is_installed(at):
        raise Skipped("Argilla's server is not installed (distillery annotate up)")
    try:
        process.start(at)
        yield at
    finally:
        process.stop(at)


class OnServer(Subject):
    """A command that talks to a live server from a folder of its own.

    `dataset` is what it writes there, for the accounts `people`; None if it writes nothing.
    """

    dataset: str | None = None
    people: Sequence[str] = ()

    def __init__(self, folder: Path, at: home.Home, rows: int) -> None:
        super().__init__(folder / "said.log")
        self.at, self.rows, self.place = at, rows, folder / "place"
        running = process.find(at)
        assert running is not None
        secrets = home.read_credentials(at)
        self.port = running.port
        self.address = Address(running.url, secrets.api_key, secrets.workspace)
        self.accounts = self.place / ".distillery" / "annotation" / "accounts.json"
        write_corpus(self.place, rows)
        shutil.copy(ROOT / "params.yaml", self.place)
        write_table(self.place / "selection.parquet", Selected, self._selected())

    def _selected(self) -> Iterator[Selected]:
        responses = read_table(self.place / "source.parquet", Response)
        for rank, row in enumerate(responses, start=1):
            yield Selected(
                item_id=row.id,
                exchange_id=row.exchange_id,
                responder=row.responder,
                rank=rank,
                reason="made",
                stratum="made",
                blind=rank % BLIND_EVERY == 0,
                annotators_wanted=1,
            )

    def annotate(self, *arguments: str) -> list[str]:
        """Return a command of `distillery annotate` about the round, on this server."""
        command = [sys.executable, "-m", "pipeline", "annotate", *arguments]
        return [*command, "--round", ROUND, "--home", str(self.at.root)]

    def tables(self) -> list[str]:
        """Return the options that name what is pushed."""
        names = {"selection": "selection", "exchanges": "exchanges", "responses": "source"}
        options = [word for one, name in names.items() for word in (f"--{one}", f"{name}.parquet")]
        return [*options, "--guidelines", str(ROOT / "annotations" / "guidelines")]

    def start(self) -> subprocess.Popen[bytes]:
        """Start the command in its folder."""
        return start(self.command(), cwd=self.place, log=self.log)

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the command is talking to the server."""
        return is_connected(process, self.port)

    def reset(self) -> None:
        """Remove dataset and accounts from the server, and their passwords from the disk."""
        client = connect(self.address)
        if self.dataset and (there := find_dataset(client, self.address, self.dataset)):
            there.delete()
        for user in [user for user in client.users if user.username in self.people]:
            user.delete()
        self.accounts.unlink(missing_ok=True)

    def at_end(self) -> list[str]:
        """Return the accounts whose passwords do not open them."""
        known = json.loads(self.accounts.read_text()) if self.accounts.is_file() else {}
        http = connect(self.address).http_client
        shut = []
        for name in self.people:
            login = {"username": name, "password": known.get(name, "none")}
            if http.post("/api/v1/token", data=login).status_code >= 400:
                shut.append(f"{name}: no password that opens the account")
        return shut

    def outputs(self) -> Outputs:
        """Return every record of the dataset; one that is there twice has two names."""
        client = connect(self.address)
        there = find_dataset(client, self.address, self.dataset or "")
        found: dict[str, object] = {}
        for held in fetch_records(client, there) if there else ():
            name = held["external_id"]
            while name in found:
                name += " again"
            suggested = sorted(json.dumps(one["value"]) for one in held["suggestions"] or ())
            found[name] = (held["fields"], held["metadata"], held["status"], suggested)
        return found
