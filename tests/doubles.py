"""Stand-ins for what lies outside this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """A real HTTP server on 127.0.0.1 that has one file.

    `break_after` ends each answer after so many bytes of it, as a lost connection does.
    `asked` holds the Range header of each request, None where there was none.
    """

    content: bytes
    ranges: bool = True
    status: int | None = None
    break_after: int | None = None
    url: str = ""
    asked: list[str | None] = field(default_factory=list)


@contextmanager
def serving(content: bytes, **behaviour: object) -> Iterator[FileServer]:
    """Serve `content` until the block ends."""
    served = FileServer(content, **behaviour)  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, served)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}/corpus.bin"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, served: FileServer) -> None:
    wanted = request.headers.get("Range")
    served.asked.append(wanted)
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and served.ranges else 0
    if served.status is not None or start >= len(served.content):
        request.send_error(served.status or 416)
        return
    body = served.content[start:]
    request.send_response(206 if start else 200)
    request.send_header("Content-Length", str(len(body)))
    if start:
        last = len(served.content) - 1
        request.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
    request.end_headers()
    request.wfile.write(body[: served.break_after])
