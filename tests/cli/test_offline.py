"""`DISTILLERY_OFFLINE=1` lets no connection leave this machine."""

from __future__ import annotations

import socket

import pytest

from pipeline.cli.offline import forbid_connections
from pipeline.errors import OfflineError


@pytest.fixture(autouse=True)
def guarded(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> None:
    """Forbid connections for one test."""
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    monkeypatch.setattr(socket.socket, "connect_ex", socket.socket.connect_ex)
    forbid_connections()


@pytest.mark.parametrize("address", ["192.0.2.1", "example.org", "10.0.0.1"])
@pytest.mark.parametrize("way", ["connect", "connect_ex"])
def test_another_machine_is_not_reached(address: str, way: str) -> None:
    with (
        socket.socket() as one,
        pytest.raises(OfflineError, match=rf"{address}:443: not reached, because"),
    ):
        getattr(one, way)((address, 443))


def test_this_machine_is_reached() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())

        assert client.getpeername() == server.getsockname()
