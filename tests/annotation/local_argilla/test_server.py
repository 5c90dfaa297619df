"""The live local server: who can reach it, and what it does for each record."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.push import push
from pipeline.annotation.server_client import connect
from tests.annotation.conftest import Local
from tests.annotation.example_round import a_push, item

pytestmark = [pytest.mark.argilla, pytest.mark.slow]


def test_the_server_listens_on_loopback_alone(server: Local) -> None:
    listening = subprocess.run(
        ["ss", "-ltnpH"], capture_output=True, text=True, check=False, timeout=20
    ).stdout
    mine = [line for line in listening.splitlines() if f"pid={server.running.pid}," in line]
    if not mine:
        pytest.skip("ss does not show processes here")

    assert all(line.split()[3].startswith("127.0.0.1:") for line in mine)


def test_the_queue_hangs_up_without_its_password(server: Local) -> None:
    import socket

    listening = subprocess.run(
        ["ss", "-ltnpH"], capture_output=True, text=True, check=False, timeout=20
    ).stdout
    ports = [
        int(line.split()[3].rsplit(":", 1)[1])
        for line in listening.splitlines()
        if f"pid={server.running.pid}," in line
    ]
    queues = [port for port in ports if port != server.running.port]
    if not queues:
        pytest.skip("ss does not show processes here")
    with socket.create_connection(("127.0.0.1", queues[0]), timeout=20) as stranger:
        stranger.sendall(b"*1\r\n$4\r\nPING\r\n")
        try:
            reply = stranger.recv(100)
        except ConnectionResetError:
            reply = b""

    assert reply == b""


@pytest.fixture
def listener() -> Iterator[tuple[str, list[Any]]]:
    """An address that webhooks can call, and what they said."""
    heard: list[Any] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    ear = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=ear.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{ear.server_address[1]}/", heard
    ear.shutdown()
    ear.server_close()


def test_a_webhook_still_hears_of_every_record(
    server: Local, tmp_path: Path, listener: tuple[str, list[Any]]
) -> None:
    url, heard = listener
    http_client = connect(server.address).http_client
    wanted = {"url": url, "events": ["record.created"]}
    webhook = http_client.post("/api/v1/webhooks", json=wanted).raise_for_status().json()
    items = [item(i) for i in range(3)]

    push(server.address, a_push(31, items, ["ann"]), accounts=tmp_path / "accounts.json")

    deadline = time.monotonic() + 60
    while len(heard) < len(items):
        assert time.monotonic() < deadline, "the webhook was not called"
        time.sleep(0.2)
    http_client.delete(f"/api/v1/webhooks/{webhook['id']}").raise_for_status()
    assert {one["data"]["external_id"] for one in heard} == {one.id for one in items}
