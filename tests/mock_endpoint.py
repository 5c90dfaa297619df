"""An OpenAI-compatible endpoint on the loopback interface that can be made to misbehave.

It answers by the content of the request alone, so two runs get the same answers, and it counts
every call by content, so a test can say what was paid for twice. Used by tests in a thread and by
benchmarks as a program: `python tests/mock_endpoint.py '{"latency_s": 0.05}'` prints its port.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.mock_batches import Batches  # noqa: E402

CLAUSES = (
    "that sounds heavy",
    "I can see why it stays with you",
    "hope must have felt near",
    "your care shows in every line",
    "it makes sense to feel torn",
    "you kept going all the same",
    "nobody should carry that alone",
    "I am glad that you told me",
    "the waiting alone would wear me out",
    "what you did took courage",
    "there is no right way to feel about it",
    "I wonder what tonight will be like",
)


@dataclass
class Behaviour:
    """What the endpoint does; rates are shares of calls, drawn from `seed`."""

    latency_s: float = 0.0
    rate_429: float = 0.0
    retry_after_s: float = 0.05
    rate_500: float = 0.0
    rate_hang: float = 0.0
    rate_malformed: float = 0.0
    rate_drip: float = 0.0
    drip_interval_s: float = 0.2
    seed: int = 0
    status: int | None = None
    status_body: str = "{}"
    echo_key: bool = False
    finish_reason: str = "stop"
    # Calls whose body holds this text always fail with 500.
    poison: str | None = None
    # Calls answered with the n-th reply, then the last one for ever; None: words by content.
    replies: list[str] | None = None
    usage: bool = True
    batch_polls: int = 1
    batch_lost_share: float = 0.0
    batch_error_share: float = 0.0


@dataclass
class Tally:
    """What the endpoint saw."""

    calls: int = 0
    answered: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    by_content: Counter[str] = field(default_factory=Counter)
    answered_by_content: Counter[str] = field(default_factory=Counter)
    started_at: list[float] = field(default_factory=list)
    in_flight: int = 0
    peak_in_flight: int = 0


def written_reply(body: bytes) -> str:
    """Return five clauses and a number that depend on `body` alone."""
    digest = hashlib.sha256(body).digest()
    draw = random.Random(digest)
    clauses = draw.sample(CLAUSES, 5)
    return ", ".join(clauses).capitalize() + f", {digest.hex()[:8]}."


class Endpoint:
    """The behaviour and the tally behind all connections."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.tally = Tally()
        self.draw = random.Random(behaviour.seed)
        self.batches = Batches(self)
        self.last_headers: dict[str, str] = {}

    def completion(self, body: bytes) -> bytes:
        """Return the body of a chat completion that answers `body`."""
        replies = self.behaviour.replies
        if replies is not None:
            content = replies.pop(0) if len(replies) > 1 else replies[0]
        else:
            content = written_reply(body)
        if self.behaviour.echo_key:
            content += " " + self.last_headers.get("authorization", "")
        request = json.loads(body)
        answer: dict[str, Any] = {
            "id": "chatcmpl-" + hashlib.sha256(body).hexdigest()[:12],
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content},
                    "finish_reason": self.behaviour.finish_reason,
                }
            ],
        }
        if self.behaviour.usage:
            out = len(content) // 4
            given = len(body) // 4
            answer["usage"] = {
                "prompt_tokens": given,
                "completion_tokens": out,
                "total_tokens": given + out,
            }
        return json.dumps(answer).encode()

    def fault(self, body: bytes) -> str:
        """Draw what happens to this call: `ok` or the name of a fault."""
        behaviour = self.behaviour
        if behaviour.status is not None:
            return str(behaviour.status)
        if behaviour.poison is not None and behaviour.poison.encode() in body:
            return "500"
        at = self.draw.random()
        for name, share in (
            ("429", behaviour.rate_429),
            ("500", behaviour.rate_500),
            ("hang", behaviour.rate_hang),
            ("malformed", behaviour.rate_malformed),
            ("drip", behaviour.rate_drip),
        ):
            if at < share:
                return name
            at -= share
        return "ok"


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.buffer = b""
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            request_line, *lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            method, path, _ = request_line.split(" ")
            self.handle(method, path, headers, rest[:length])

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        endpoint = self.endpoint
        endpoint.last_headers = headers
        if path.endswith("/chat/completions"):
            tally = endpoint.tally
            tally.calls += 1
            tally.in_flight += 1
            tally.peak_in_flight = max(tally.peak_in_flight, tally.in_flight)
            tally.by_content[hashlib.sha256(body).hexdigest()[:16]] += 1
            loop = asyncio.get_running_loop()
            tally.started_at.append(loop.time())
            fault = endpoint.fault(body)
            tally.statuses[fault] += 1
            loop.call_later(endpoint.behaviour.latency_s, self.answer, fault, body)
        elif path == "/_tally":
            self.reply(200, json.dumps(vars(endpoint.tally)).encode())
        elif path == "/_behave":
            for name, value in json.loads(body).items():
                setattr(endpoint.behaviour, name, value)
            self.reply(200, b"{}")
        else:
            status, answer = endpoint.batches.handle(method, path, headers, body)
            self.reply(status, answer)

    def answer(self, fault: str, body: bytes) -> None:
        endpoint = self.endpoint
        endpoint.tally.in_flight -= 1
        behaviour = endpoint.behaviour
        if fault == "ok":
            endpoint.tally.answered += 1
            endpoint.tally.answered_by_content[hashlib.sha256(body).hexdigest()[:16]] += 1
            self.reply(200, endpoint.completion(body))
        elif fault == "malformed":
            self.reply(200, endpoint.completion(body)[:-20])
        elif fault == "429":
            self.reply(429, b'{"error": {"message": "slow down"}}', behaviour.retry_after_s)
        elif fault == "drip":
            task = asyncio.ensure_future(self.drip(endpoint.completion(body)))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        elif fault != "hang":
            text = behaviour.status_body
            if behaviour.echo_key:
                key = endpoint.last_headers.get("authorization", "")
                text = json.dumps({"error": {"message": f"bad credentials: {key}"}})
            self.reply(int(fault), text.encode())

    async def drip(self, answer: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\n\r\n"
        self.transport.write(head.encode())
        for at in range(len(answer)):
            if self.transport.is_closing():
                return
            self.transport.write(answer[at : at + 1])
            await asyncio.sleep(self.endpoint.behaviour.drip_interval_s)

    def reply(self, status: int, body: bytes, retry_after_s: float | None = None) -> None:
        if self.transport.is_closing():
            return
        retry = f"retry-after: {retry_after_s}\r\n" if retry_after_s is not None else ""
        head = (
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{retry}"
            f"content-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)


async def serve(endpoint: Endpoint, ready: Callable[[int], None], stop: asyncio.Event) -> None:
    """Serve on a free loopback port until `stop` is set."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(endpoint), "127.0.0.1", 0, backlog=512)
    ready(server.sockets[0].getsockname()[1])
    await stop.wait()
    server.close()


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
