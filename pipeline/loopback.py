"""An HTTP server for this machine alone: who may ask, how long, how much and how many at once.

A page of another site can make a browser send requests here. It cannot choose the headers `Host`
and `Origin`, so both must name this server, whatever the method.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipeline.errors import PipelineError

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost", "[::1]")
MAX_CONNECTIONS = 32
MAX_BYTES = 1 << 20
# Seconds until a request's lines, its body, and the answer to it must have passed, all of it.
HEAD_S, BODY_S, ANSWER_S = 10.0, 30.0, 60.0

_FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class LoopbackServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1; one connection more than `max_connections` is answered with 503."""

    daemon_threads = True
    max_connections = MAX_CONNECTIONS

    def __init__(self, port: int, handler: Any) -> None:
        """Take `port`, 0 for a free one; raises PipelineError if it cannot be had."""
        try:
            super().__init__((LOOPBACK, port), handler)
        except (OSError, OverflowError) as error:
            raise PipelineError(
                f"port {port}: cannot be used ({error})\nGive --port another number, or 0."
            ) from error
        self._places = threading.Semaphore(self.max_connections)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection its thread, if there is a place left."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        try:
            request.setblocking(False)
            request.send(_FULL)
        except OSError:  # it has gone already
            pass
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection until it ends, then give its place to the next one."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a caller who went away or was too slow."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Patient(io.RawIOBase):
    """A connection that must be done by a deadline, however slowly single bytes come and go."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._until = 0.0

    def allow(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._set_timeout()
        return self._connection.recv_into(buffer)

    def write(self, content: Any) -> int:
        self._set_timeout()
        self._connection.sendall(content)
        return len(content)

    def _set_timeout(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the connection was too slow")
        self._connection.settimeout(left)


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers the `methods` that it names, after looking at who asks."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # older answers have no status
    methods: tuple[str, ...] = ("GET", "HEAD")

    def setup(self) -> None:
        """Read and write by deadlines."""
        self.connection = self.request
        self._patient = _Patient(self.connection)
        self.rfile = io.BufferedReader(self._patient)
        self.wfile = self._patient  # type: ignore[assignment]  # unbuffered, as the base class's

    def handle_one_request(self) -> None:
        """Wait for a request no longer than for its first lines."""
        self._patient.allow(HEAD_S)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read the first lines; answer at once what must not come further."""
        self._patient.allow(HEAD_S)
        if not super().parse_request():
            return False
        self._patient.allow(ANSWER_S)
        if self.command != "POST" and {"Content-Length", "Transfer-Encoding"} & set(self.headers):
            self.close_connection = True  # a body that nobody reads is no next request
        refused = self._refusal()
        if refused:
            self.refuse(*refused)
        return refused is None

    def handle_expect_100(self) -> bool:
        """Let the caller send its body unasked; it is looked at first."""
        return True

    def _refusal(self) -> tuple[int, str] | None:
        """Return why this request is refused whatever it asks for, None if it is not."""
        port = self.server.server_port  # type: ignore[attr-defined]
        ours = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == 80 else set())
        hosts = self.headers.get_all("Host", [])
        origins = self.headers.get_all("Origin", [])
        if len(hosts) != 1 or hosts[0].lower() not in ours:
            return HTTPStatus.FORBIDDEN, "this server is asked for by another name"
        if any(origin.lower() not in {f"http://{name}" for name in ours} for origin in origins):
            return HTTPStatus.FORBIDDEN, "a page of another site may not ask"
        if self.command not in self.methods:
            return HTTPStatus.METHOD_NOT_ALLOWED, f"{self.command}: not served"
        if not self.path.startswith("/"):
            return HTTPStatus.BAD_REQUEST, "not a path"
        return None

    def read_json_body(self) -> bytes | None:
        """Return the body of a write; None if it was refused, and answered."""
        lengths = self.headers.get_all("Content-Length", [])
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            self.refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json")
        elif len(lengths) != 1 or not lengths[0].isdecimal() or "Transfer-Encoding" in self.headers:
            self.refuse(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing")
        elif len(lengths[0]) > 12 or int(lengths[0]) > MAX_BYTES:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than {MAX_BYTES} bytes")
        else:
            self._patient.allow(BODY_S)
            return self.rfile.read(int(lengths[0]))
        return None

    def refuse(self, status: int, message: str) -> None:
        """Answer with an error and hang up: what else was sent is not read."""
        self.close_connection = True
        self.send(status, "text/plain; charset=utf-8", f"{message}\n".encode())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer as `refuse` does, where the base class has found an error."""
        del explain
        self.refuse(code, message or HTTPStatus(code).phrase)

    def send(self, status: int, kind: str, content: bytes) -> None:
        """Answer with `content`, of the media type `kind`."""
        self._patient.allow(ANSWER_S)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", ", ".join(self.methods))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def end_headers(self) -> None:
        """Close the headers, with those that keep other sites' pages from using an answer."""
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "SAMEORIGIN")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is for the address, and for nobody's texts."""
