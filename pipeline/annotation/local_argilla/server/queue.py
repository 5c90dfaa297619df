"""The job queue: an in-process stand-in for Redis, and the worker that takes jobs from it.

Jobs are pickled, so whoever can write to the queue can run code here. It listens on loopback and
asks for a random password before anything else: other accounts of this machine stay out.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from typing import Any

from fakeredis import FakeServer, TcpFakeServer

HOST = "127.0.0.1"
_PATIENCE_S = 60  # a machine with much else to do may take its time
_FIRST_BYTES = 4096


class _GuardedQueue(TcpFakeServer):
    """The stand-in does not insist on a password itself: a client must send it first."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, password: str) -> None:
        super().__init__((HOST, 0), server_type="redis")
        self.daemon_threads = True
        self.fake_server = FakeServer(config={b"requirepass": password.encode()})
        self._password = password.encode()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a client in its thread if it begins with the password; hang up on any other."""
        if self._begins_with_password(request):
            super().finish_request(request, client_address)

    def _begins_with_password(self, request: Any) -> bool:
        """Look at what the client sends first, without taking it."""
        deadline = time.monotonic() + _PATIENCE_S
        request.settimeout(_PATIENCE_S)
        try:
            while time.monotonic() < deadline:
                first = request.recv(_FIRST_BYTES, socket.MSG_PEEK)
                if self._password in first.split(b"\r\n"):
                    request.settimeout(None)
                    return True
                if not first or len(first) == _FIRST_BYTES or b"AUTH" not in first.upper():
                    return False
                time.sleep(0.01)
        except OSError:
            return False
        return False


def start_queue() -> str:
    """Serve in a thread of this process; return the queue's URL with its password."""
    password = secrets.token_hex(24)
    queue = _GuardedQueue(password)
    threading.Thread(target=queue.serve_forever, daemon=True, name="queue").start()
    patient = f"socket_timeout={_PATIENCE_S}&socket_connect_timeout={_PATIENCE_S}"
    return f"redis://:{password}@{HOST}:{queue.server_address[1]}/0?{patient}"


def reconnect_when_closed() -> None:
    """Let a command whose connection the stand-in closed be sent again, a few times.

    Seen on a machine with far more to do than it has cores; Argilla's own connection gives up at
    once, and the page or the push with it.
    """
    from argilla_server.jobs.queues import REDIS_CONNECTION
    from redis.backoff import ExponentialBackoff
    from redis.retry import Retry

    REDIS_CONNECTION.set_retry(Retry(ExponentialBackoff(cap=1.0, base=0.05), 8))


def work(parent: int) -> None:
    """Take jobs until the server process `parent` is gone."""
    from argilla_server.jobs.queues import DEFAULT_QUEUE, HIGH_QUEUE, REDIS_CONNECTION
    from rq import SimpleWorker

    def stop_with_the_server() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=stop_with_the_server, daemon=True).start()
    SimpleWorker([HIGH_QUEUE, DEFAULT_QUEUE], connection=REDIS_CONNECTION).work(
        logging_level="WARNING"
    )
