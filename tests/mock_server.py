"""The HTTP side of the mock endpoint: one small server, written by hand so that it can fail."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable

from tests.mock_answers import Endpoint


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
        if path.endswith(("/chat/completions", "/embeddings")):
            write = endpoint.vectors if path.endswith("/embeddings") else endpoint.completion
            tally = endpoint.tally
            tally.calls += 1
            tally.in_flight += 1
            tally.peak_in_flight = max(tally.peak_in_flight, tally.in_flight)
            tally.by_content[hashlib.sha256(body).hexdigest()[:16]] += 1
            loop = asyncio.get_running_loop()
            tally.started_at.append(loop.time())
            fault = endpoint.fault(body)
            tally.statuses[fault] += 1
            loop.call_later(endpoint.behaviour.latency_s, self.answer, fault, body, write)
        elif path == "/_tally":
            self.reply(200, json.dumps(vars(endpoint.tally)).encode())
        elif path == "/_behave":
            for name, value in json.loads(body).items():
                setattr(endpoint.behaviour, name, value)
            self.reply(200, b"{}")
        else:
            status, answer = endpoint.batches.handle(method, path, headers, body)
            self.reply(status, answer)

    def answer(self, fault: str, body: bytes, write: Callable[[bytes], bytes]) -> None:
        endpoint = self.endpoint
        endpoint.tally.in_flight -= 1
        behaviour = endpoint.behaviour
        if fault == "ok":
            endpoint.tally.answered += 1
            endpoint.tally.answered_by_content[hashlib.sha256(body).hexdigest()[:16]] += 1
            self.reply(200, write(body))
        elif fault == "malformed":
            self.reply(200, write(body)[:-20])
        elif fault == "429":
            self.reply(429, b'{"error": {"message": "slow down"}}', behaviour.retry_after_s)
        elif fault == "packed":
            self.reply(200, behaviour.packed, encoding="gzip")
        elif fault == "drip":
            task = asyncio.ensure_future(self.drip(write(body)))
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

    def reply(
        self,
        status: int,
        body: bytes,
        retry_after_s: float | None = None,
        encoding: str | None = None,
    ) -> None:
        if self.transport.is_closing():
            return
        retry = f"retry-after: {retry_after_s}\r\n" if retry_after_s is not None else ""
        packed = f"content-encoding: {encoding}\r\n" if encoding else ""
        head = (
            f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{retry}{packed}"
            f"content-type: {self.endpoint.behaviour.content_type}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)


async def serve(endpoint: Endpoint, ready: Callable[[int], None], stop: asyncio.Event) -> None:
    """Serve on a free loopback port until `stop` is set."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(endpoint), "127.0.0.1", 0, backlog=512)
    ready(server.sockets[0].getsockname()[1])
    await stop.wait()
    server.close()
