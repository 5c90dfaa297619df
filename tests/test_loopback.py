"""Servers of this machine: who may ask, how long, how much and how many at once."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline import loopback
from pipeline.errors import PipelineError
from pipeline.loopback import LoopbackHandler, LoopbackServer


class Echo(LoopbackHandler):
    """Says yes to a GET, and back what a POST says."""

    methods = ("GET", "POST")

    def do_GET(self) -> None:
        self.send(200, "text/plain", b"yes")

    def do_POST(self) -> None:
        body = self.read_json_body()
        if body is not None:
            self.send(200, "application/json", body)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(loopback, "HEAD_S", 0.5)
    monkeypatch.setattr(loopback, "BODY_S", 0.5)
    monkeypatch.setattr(LoopbackServer, "max_connections", 4)
    with LoopbackServer(0, Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def answer(port: int, sent: str) -> str:
    """Return all that the server says to `sent`, in which PORT stands for its port."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent.replace("PORT", str(port)).replace("\n", "\r\n").encode())
        found = b""
        while part := connection.recv(4096):
            found += part
    return found.decode()


def status(port: int, sent: str) -> int:
    return int(answer(port, sent).split()[1])


def is_open(connection: socket.socket) -> bool:
    """Send one more byte; say whether the other side still listens."""
    try:
        connection.sendall(b"x")
        connection.setblocking(False)
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    finally:
        connection.settimeout(10)


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "X")
OTHERS = (
    "Host: evil.example",
    "Host: evil.example:PORT",
    "Host: 127.0.0.1",
    "Host: 127.0.0.1:1",
    "Host: 127.0.0.1.evil.example:PORT",
    "Host: 127.0.0.1:PORT\nHost: evil.example",
    "Accept: */*",
    "Host: 127.0.0.1:PORT\nOrigin: http://evil.example",
    "Host: 127.0.0.1:PORT\nOrigin: http://evil.example:PORT",
    "Host: 127.0.0.1:PORT\nOrigin: https://127.0.0.1:PORT",
    "Host: 127.0.0.1:PORT\nOrigin: null",
    "Host: 127.0.0.1:PORT\nOrigin: ",
)


@pytest.mark.parametrize("headers", OTHERS)
def test_another_host_or_origin_is_refused_whatever_the_method(port: int, headers: str) -> None:
    found = {method: answer(port, f"{method} / HTTP/1.1\n{headers}\n\n") for method in METHODS}

    assert {text.split()[1] for text in found.values()} == {"403"}
    assert "Access-Control" not in str(found)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_this_machine_by_its_own_names_is_answered(port: int, name: str) -> None:
    head = f"GET / HTTP/1.1\nConnection: close\nHost: {name}:PORT\n"

    assert status(port, head + "\n") == 200
    assert status(port, head + f"Origin: http://{name}:PORT\n\n") == 200


def test_a_method_that_is_not_served_is_a_405(port: int) -> None:
    for method in ("HEAD", "PUT", "OPTIONS"):
        said = answer(port, f"{method} / HTTP/1.1\nHost: localhost:PORT\n\n")
        assert said.split()[1] == "405"
        assert "Allow: GET, POST" in said


WRITE = "POST / HTTP/1.1\nConnection: close\nHost: localhost:PORT\n"
JSON = WRITE + "Content-Type: application/json\n"


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (JSON + "Content-Length: 2\n\n{}", 200),
        (WRITE + "Content-Length: 2\n\n{}", 415),
        (WRITE + "Content-Type: text/plain\nContent-Length: 2\n\n{}", 415),
        (WRITE + "Content-Type: application/jsonx\nContent-Length: 2\n\n{}", 415),
        (JSON + "\n", 411),
        (JSON + "Content-Length: -1\n\n", 411),
        (JSON + "Content-Length: 2\nContent-Length: 3\n\n{}", 411),
        (JSON + "Content-Length: 2\nTransfer-Encoding: chunked\n\n{}", 411),
        (JSON + "Content-Length: 1048577\n\n", 413),
        (JSON + f"Content-Length: {'9' * 5000}\n\n", 413),
        ("GET http://evil.example/ HTTP/1.1\nHost: localhost:PORT\n\n", 400),
        ("GET\n\n", 400),
        ("GET /\n\n", 403),
        ("GET / HTTP/9.9\n\n", 505),
        (f"GET /{'x' * 70000} HTTP/1.1\nHost: localhost:PORT\n\n", 414),
    ],
)
def test_a_request_that_is_no_json_write_of_ours_is_refused(
    port: int, sent: str, wanted: int
) -> None:
    assert status(port, sent) == wanted


@pytest.mark.parametrize("begun", ["GET / HT", "GET / HTTP/1.1\n", JSON + "Content-Length: 99\n\n"])
def test_bytes_that_drip_are_cut_off_by_the_clock(port: int, begun: str) -> None:
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(begun.replace("PORT", str(port)).replace("\n", "\r\n").encode())
        while is_open(connection) and time.monotonic() < start + 8:
            time.sleep(0.1)

    assert time.monotonic() < start + 4


def test_one_connection_more_than_there_are_places_is_a_503(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(4)]
    time.sleep(0.1)

    assert status(port, "GET / HTTP/1.1\nHost: localhost:PORT\n\n") == 503
    for connection in held:
        connection.close()
    time.sleep(0.1)
    assert status(port, "GET / HTTP/1.1\nConnection: close\nHost: localhost:PORT\n\n") == 200


def test_who_says_nothing_loses_the_place(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(4)]
    time.sleep(1)

    assert status(port, "GET / HTTP/1.1\nConnection: close\nHost: localhost:PORT\n\n") == 200
    assert [connection.recv(1) for connection in held] == [b""] * 4
    for connection in held:
        connection.close()


def test_the_body_of_a_request_is_never_the_next_request(port: int) -> None:
    smuggled = "GET /evil HTTP/1.1\nHost: localhost:PORT\n\n"
    head = f"GET / HTTP/1.1\nHost: localhost:PORT\nContent-Length: {len(smuggled)}\n\n"

    assert answer(port, head + smuggled).count("HTTP/1.1 200") == 1


def test_a_connection_is_kept_for_the_next_request(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(3):
        connection.request("POST", "/", "{}", {"Content-Type": "application/json"})
        assert connection.getresponse().read() == b"{}"
    connection.close()


def test_a_port_that_is_taken_is_an_error(port: int) -> None:
    with pytest.raises(PipelineError, match=f"port {port}: cannot be used"):
        LoopbackServer(port, Echo)
