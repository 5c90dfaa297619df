"""A real Argilla server for the tests that are marked `argilla`: own data, free port."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.local_argilla import home, install, process
from pipeline.annotation.server_client import Address, connect
from pipeline.errors import PipelineError

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".distillery" / "argilla" / "venv"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Local:
    """The server under test."""

    home: home.Home

    @property
    def running(self) -> process.Running:
        """The live process, which a test may have started anew."""
        found = process.find(self.home)
        assert found, "the server is down"
        return found

    @property
    def address(self) -> Address:
        secrets = home.read_credentials(self.home)
        return Address(self.running.url, secrets.api_key, secrets.workspace)

    def environment(self) -> dict[str, str]:
        """Return what points a command at this server."""
        return {"ARGILLA_API_URL": self.running.url, "ARGILLA_API_KEY": self.address.api_key}


@pytest.fixture(scope="session")
def argilla_venv() -> Path:
    """The server's environment, installed once and kept; tests are skipped where it cannot be."""
    at = home.home_at(VENV.parent, VENV)
    try:
        install.install(at)
    except PipelineError as error:
        pytest.skip(f"Argilla's server is not installed: {str(error).splitlines()[0]}")
    return VENV


@pytest.fixture(scope="session")
def server(argilla_venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A live server with a database of its own; stopped at the end, by its own process id."""
    at = home.home_at(tmp_path_factory.mktemp("argilla"), argilla_venv)
    process.start(at, port=free_port())
    yield Local(at)
    process.stop(at)
    shutil.rmtree(at.root, ignore_errors=True)


@dataclass(frozen=True)
class Annotator:
    """An account, and a client that acts as its person."""

    name: str
    password: str
    client: Any

    @property
    def id(self) -> str:
        return str(self.client.me.id)

    def answer(self, record_id: Any, values: dict[str, Any], status: str = "submitted") -> None:
        """GivenAnswer a record as the web page does; a second answer replaces the first."""
        self.answer_many([(record_id, values, status)])

    def answer_many(self, given: list[tuple[Any, dict[str, Any], str]]) -> None:
        """GivenAnswer records in one request: (record id, values by question, status) each."""
        bulk = [
            {
                "record_id": str(record_id),
                "status": status,
                "values": {name: {"value": value} for name, value in values.items()},
            }
            for record_id, values, status in given
        ]
        reply = self.client.http_client.post("/api/v1/me/responses/bulk", json={"items": bulk})
        reply.raise_for_status()
        assert not [item for item in reply.json()["items"] if item.get("error")]


def sign_in(local: Local, name: str, password: str) -> Annotator:
    """Log in with a password, take the account's key, and return its client."""
    http = connect(local.address).http_client
    token = http.post("/api/v1/token", data={"username": name, "password": password})
    token.raise_for_status()
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    key = http.get("/api/v1/me", headers={**bearer, "X-Argilla-Api-Key": ""}).json()["api_key"]
    return Annotator(name, password, connect(Address(local.running.url, key, "")))


def passwords(accounts: Path) -> dict[str, str]:
    """Return the passwords that a push wrote."""
    found: dict[str, str] = json.loads(accounts.read_text())
    return found
