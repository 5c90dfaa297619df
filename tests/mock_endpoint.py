"""An OpenAI-compatible endpoint on the loopback interface that can be made to misbehave.

It answers by the content of the request alone, so two runs get the same answers, and it counts
every call by content, so a test can say what was paid for twice. Used by tests in a thread and by
benchmarks as a program: `python tests/mock_endpoint.py '{"latency_s": 0.05}'` prints its port.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.mock_answers import Behaviour, Endpoint, Tally  # noqa: E402
from tests.mock_server import serve  # noqa: E402

__all__ = ["Behaviour", "Handle", "Program", "program", "running"]


class Handle:
    """A running endpoint, in a thread of this process."""

    def __init__(self, endpoint: Endpoint, port: int) -> None:
        self.endpoint = endpoint
        self.base_url = f"http://127.0.0.1:{port}/v1"

    @property
    def tally(self) -> Tally:
        return self.endpoint.tally

    @property
    def behaviour(self) -> Behaviour:
        return self.endpoint.behaviour


@contextmanager
def running(behaviour: Behaviour) -> Iterator[Handle]:
    """Serve from a thread; the handle gives the URL and the tally."""
    endpoint = Endpoint(behaviour)
    ports: list[int] = []
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def announce(port: int) -> None:
        ports.append(port)
        ready.set()

    async def main() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        await serve(endpoint, announce, stop)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the mock endpoint did not start")
    yield Handle(endpoint, ports[0])
    loop, stop = loops[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


class Program:
    """An endpoint in a process of its own, so that a benchmark's CPU time is the client's."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.base_url = self.root + "/v1"

    def tally(self) -> dict[str, Any]:
        """Return the tally so far."""
        with urllib.request.urlopen(self.root + "/_tally") as answer:
            tally: dict[str, Any] = json.load(answer)
            return tally


@contextmanager
def program(**behaviour: Any) -> Iterator[Program]:
    """Run the endpoint as a program of its own."""
    with subprocess.Popen(
        [sys.executable, __file__, json.dumps(behaviour)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Program(int(process.stdout.readline()))
        finally:
            process.terminate()


def _announce(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def _main() -> None:
    endpoint = Endpoint(Behaviour(**json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")))

    async def main() -> None:
        await serve(endpoint, _announce, asyncio.Event())

    asyncio.run(main())


if __name__ == "__main__":
    _main()
