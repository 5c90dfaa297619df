"""`DISTILLERY_OFFLINE=1`: nothing but this machine may be reached, so a hidden download shows."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from pipeline.errors import OfflineError


def forbid_connections() -> None:
    """Make every connection of this process to another machine an OfflineError."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _require_loopback(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _require_loopback(self, address)
        return connect_ex(self, address)

    socket.socket.connect = guarded_connect  # type: ignore[assignment, method-assign]
    socket.socket.connect_ex = guarded_connect_ex  # type: ignore[assignment, method-assign]


def _require_loopback(used: socket.socket, address: Any) -> None:
    if used.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0])
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise OfflineError(
            f"{host}:{address[1]}: not reached, because DISTILLERY_OFFLINE=1 is set\n"
            "Unset it to allow connections."
        )
