"""The job queue: an in-process stand-in for Redis, and the worker that takes jobs from it.

It listens on a Unix socket in a folder that only its owner can enter. Jobs are pickled, so whoever
could write to the queue could run code here: a port, even on loopback, would be open to everyone
with an account on the machine.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from itertools import count
from typing import Any

from fakeredis import TcpFakeServer


class _OwnersQueue(TcpFakeServer):
    address_family = socket.AF_UNIX

    def __init__(self, path: str) -> None:
        self._clients = count(1)
        super().__init__(path, server_type="redis")

    def get_request(self) -> tuple[Any, Any]:
        """Number the clients: on a Unix socket they have no address to be told apart by."""
        request, _ = super().get_request()
        return request, ("client", next(self._clients))


def start_queue(path: str) -> str:
    """Serve in a thread of this process; return the queue's URL."""
    queue = _OwnersQueue(path)
    threading.Thread(target=queue.serve_forever, daemon=True, name="queue").start()
    return f"unix://{path}"


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
