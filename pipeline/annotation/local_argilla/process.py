"""Start, find and stop the local server process."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.annotation.local_argilla.home import Home, ensure_credentials
from pipeline.annotation.local_argilla.install import install
from pipeline.annotation.local_argilla.server import holder
from pipeline.errors import PipelineError
from pipeline.storage import open_log, require_file

HOST = "127.0.0.1"
FIRST_PORT = 6900
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 20
# Until a process that has the lock has written down who it is, seconds.
NOTE_S = 2.0


@dataclass(frozen=True)
class Running:
    """A live server, known by the lock that it holds; `is_ready` once it answers."""

    pid: int
    born: str
    port: int
    is_ready: bool

    @property
    def url(self) -> str:
        """Where its page and its API are."""
        return f"http://{HOST}:{self.port}"


def find(home: Home) -> Running | None:
    """Return the live server of `home`. What a file says after a crash or a reboot is none.

    Raises PipelineError if the lock is held by a process that is not proven to be the server.
    """
    until = time.monotonic() + NOTE_S
    while True:
        try:
            is_held, facts = holder.read(home.lock_file)
        except OSError as error:
            raise PipelineError(
                f"{home.lock_file}: cannot be read ({error.strerror})\n"
                "The server did not make it: remove it."
            ) from error
        if not is_held:
            return None
        if running := _proven(facts):
            return running
        if time.monotonic() > until:
            raise PipelineError(
                f"{home.lock_file}: held by a process that is not proven to be the server, so it "
                f"was left alone\nSee which it is: fuser {home.lock_file}; end it yourself."
            )
        time.sleep(0.05)  # the server may be writing down who it is


def _proven(facts: dict[str, Any]) -> Running | None:
    """Return the server if the process that wrote `facts` is still the one of that id."""
    match facts:
        case {"pid": int(pid), "born": str(born), "port": int(port), "ready": bool(is_ready)}:
            return Running(pid, born, port, is_ready) if holder.born(pid) == born else None
    return None


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
    return _wait_until_ready(home, process)


def _settled(home: Home) -> Running | None:
    """Return the server once it answers, None once there is none: it may be dying, or starting."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while (running := find(home)) and not (running.is_ready and _answers(running)):
        if time.monotonic() > deadline:
            raise PipelineError(
                f"{home.log_file}: process {running.pid} is there and does not answer\n"
                "Stop it: distillery annotate down"
            )
        time.sleep(0.1)
    return running


def _answers(running: Running) -> bool:
    """Whether the page answers: a server that was just killed still holds its lock for an instant.

    Even its port takes connections until then, and nobody is there to answer them.
    """
    connection = http.client.HTTPConnection(HOST, running.port, timeout=5)
    try:
        connection.request("GET", "/api/v1/version")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


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
    last: object = holder.read(home.lock_file)[1].get("port")
    candidates = list(range(FIRST_PORT, FIRST_PORT + 100))
    if isinstance(last, int) and 1024 <= last <= 65535:
        candidates.insert(0, last)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise PipelineError(f"no free port from {FIRST_PORT} on\nGive one: --port NUMBER")


def _wait_until_ready(home: Home, process: subprocess.Popen[bytes]) -> Running:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PipelineError(
                f"{home.log_file}: the server stopped at once: {_last_line(home.log_file)}\n"
                "Is the port taken? Choose one: distillery annotate up --port NUMBER"
            )
        running = find(home)
        if running and running.is_ready and running.pid == process.pid:
            return running
        time.sleep(0.2)
    process.kill()
    process.wait()
    raise PipelineError(
        f"{home.log_file}: no answer after {START_TIMEOUT_S} s: {_last_line(home.log_file)}\n"
        "Stop other work on this machine and run the command again."
    )


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def stop(home: Home) -> bool:
    """Stop the server of `home`; return whether there was one. Its data stays."""
    running = find(home)
    if running is None:
        return False
    _signal(running, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while (still := find(home)) and still.born == running.born:
        if time.monotonic() > deadline:
            _signal(running, signal.SIGKILL)
            deadline += STOP_TIMEOUT_S
        time.sleep(0.1)
    return True


def _signal(running: Running, number: signal.Signals) -> None:
    """Signal the server and no process that got its id later."""
    try:
        process = os.pidfd_open(running.pid)
    except ProcessLookupError:
        return
    try:
        if holder.born(running.pid) == running.born:
            signal.pidfd_send_signal(process, number)
    except ProcessLookupError:
        return
    finally:
        os.close(process)
