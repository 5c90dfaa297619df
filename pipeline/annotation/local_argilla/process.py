"""Start, find and stop the local server process."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from pipeline.annotation.local_argilla.home import Home, ensure_credentials
from pipeline.annotation.local_argilla.install import install
from pipeline.errors import PipelineError
from pipeline.storage import open_log, require_file, write_json

HOST = "127.0.0.1"
FIRST_PORT = 6900
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 20


@dataclass(frozen=True)
class Running:
    """A live server."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        """Where its page and its API are."""
        return f"http://{HOST}:{self.port}"


def find(home: Home) -> Running | None:
    """Return the live server of `home`. A stale file after a crash or a reboot is none."""
    try:
        with home.lock_file.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
    except FileNotFoundError:
        return None
    except BlockingIOError:
        state = json.loads(home.state_file.read_text(encoding="utf-8"))
        return Running(pid=state["pid"], port=state["port"])


def start(home: Home, *, port: int | None = None) -> Running:
    """Install if need be, start, and wait until the page answers; a live server stays."""
    if running := _settled(home):
        return running
    credentials = ensure_credentials(home)
    install(home)
    chosen = port or _free_port(home)
    require_file(home.lock_file)
    with open_log(home.log_file) as log:
        process = subprocess.Popen(
            [str(home.python), "-W", "ignore", "-m", "server", str(home.root), str(chosen)],
            env=_environment(home, credentials.auth_secret),
            cwd=home.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    running = Running(pid=process.pid, port=chosen)
    write_json(home.state_file, {"pid": running.pid, "port": running.port})
    _wait_until_ready(home, running, process)
    return running


def _settled(home: Home) -> Running | None:
    """Return the server once it answers, None once there is none: it may be dying, or starting."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while (running := find(home)) and not _answers(running):
        if time.monotonic() > deadline:
            raise PipelineError(
                f"{home.log_file}: process {running.pid} is there and does not answer\n"
                "Stop it: distillery annotate down"
            )
        time.sleep(0.1)
    return running


def _environment(home: Home, auth_secret: str) -> dict[str, str]:
    """Return the server's environment, free of settings meant for another Argilla."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ARGILLA_")}
    return kept | {
        "ARGILLA_HOME_PATH": str(home.root),
        "ARGILLA_SEARCH_ENGINE": "sql",
        "ARGILLA_AUTH_SECRET_KEY": auth_secret,
        "ARGILLA_ENABLE_TELEMETRY": "0",
        "ARGILLA_ENABLE_SHARE_YOUR_PROGRESS": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(Path(__file__).parent),
    }


def _free_port(home: Home) -> int:
    """Return the port of the last start if it is free, else the first free one from 6900."""
    candidates = list(range(FIRST_PORT, FIRST_PORT + 100))
    if home.state_file.is_file():
        candidates.insert(0, json.loads(home.state_file.read_text(encoding="utf-8"))["port"])
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise PipelineError(f"no free port from {FIRST_PORT} on\nGive one: --port NUMBER")


def _wait_until_ready(home: Home, running: Running, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PipelineError(
                f"{home.log_file}: the server stopped at once: {_last_line(home.log_file)}\n"
                "Is the port taken? Choose one: distillery annotate up --port NUMBER"
            )
        if _answers(running):
            return
        time.sleep(0.2)
    stop(home)
    raise PipelineError(
        f"{home.log_file}: no answer after {START_TIMEOUT_S} s: {_last_line(home.log_file)}\n"
        "Stop other work on this machine and run the command again."
    )


def _answers(running: Running) -> bool:
    try:
        with urllib.request.urlopen(f"{running.url}/api/v1/version", timeout=5) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def stop(home: Home) -> bool:
    """Stop the server of `home`; return whether there was one. Its data stays."""
    running = find(home)
    if running is None:
        return False
    _signal(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while find(home):
        if time.monotonic() > deadline:
            _signal(running.pid, signal.SIGKILL)
            deadline += STOP_TIMEOUT_S
        time.sleep(0.1)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
