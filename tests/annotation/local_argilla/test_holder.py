"""Who is the server is proven by the lock that it holds; nobody else is ever signalled."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.annotation.local_argilla import process
from pipeline.annotation.local_argilla.home import Home, home_at
from pipeline.annotation.local_argilla.server import holder
from pipeline.errors import PipelineError
from pipeline.workspace import PROJECT

STAND_IN = """
import sys, time
from pathlib import Path
from pipeline.annotation.local_argilla.server import holder
lock = holder.take(Path(sys.argv[1]))
holder.note(lock, port=6999, ready=True)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(process, "NOTE_S", 0.2)
    (tmp_path / "argilla").mkdir()
    return home_at(tmp_path / "argilla")


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with the server."""
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        yield sleeper
        sleeper.kill()


@pytest.fixture
def stand_in(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock as the server does."""
    command = [sys.executable, "-c", STAND_IN, str(home.lock_file)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield server
        server.kill()


def leave(home: Home, pid: int, born: str | None) -> None:
    """Leave behind the files of a server that is gone, with a process id that lives again."""
    facts = {"pid": pid, "born": born, "port": 6900, "ready": True}
    home.lock_file.write_text(json.dumps(facts))
    (home.root / "server.json").write_text(json.dumps(facts))


def test_the_holder_of_the_lock_is_found_and_stopped(
    home: Home, stand_in: subprocess.Popen[bytes]
) -> None:
    found = process.find(home)

    assert found
    assert (found.pid, found.url) == (stand_in.pid, "http://127.0.0.1:6999")
    assert process.stop(home)
    assert stand_in.wait(timeout=5) == -15
    assert process.find(home) is None


def test_a_killed_server_is_gone_whatever_its_file_says(
    home: Home, stand_in: subprocess.Popen[bytes]
) -> None:
    stand_in.kill()
    stand_in.wait()

    assert json.loads(home.lock_file.read_text())["pid"] == stand_in.pid
    assert process.stop(home) is False


def test_a_process_that_got_a_dead_servers_id_is_not_signalled(
    home: Home, innocent: subprocess.Popen[bytes]
) -> None:
    leave(home, innocent.pid, holder.born(innocent.pid))

    assert process.stop(home) is False
    assert innocent.poll() is None


@pytest.mark.parametrize("born", ["another-boot 12345", None])
def test_nobody_is_signalled_while_the_lock_is_held_by_who_is_not_proven_the_server(
    home: Home, innocent: subprocess.Popen[bytes], born: str | None
) -> None:
    leave(home, innocent.pid, born)

    with home.lock_file.open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(
            PipelineError, match="not proven to be the server, so it was left alone"
        ):
            process.stop(home)
    assert innocent.poll() is None


@pytest.mark.parametrize("text", ["", "4711", "[]", "{", "[" * 1000, '{"pid": "1"}', '{"pid": 1}'])
def test_a_held_lock_that_does_not_say_who_holds_it_is_an_error(home: Home, text: str) -> None:
    home.lock_file.write_text(text)

    with home.lock_file.open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PipelineError, match="not proven to be the server"):
            process.find(home)


def test_looking_at_the_lock_does_not_look_like_holding_it(
    home: Home, innocent: subprocess.Popen[bytes]
) -> None:
    leave(home, innocent.pid, holder.born(innocent.pid))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: process.find(home), range(400))) == {None}


def test_a_second_server_leaves_the_notes_of_the_first(
    home: Home, stand_in: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder, "_PATIENCE_S", 0.2)
    before = home.lock_file.read_text()

    assert holder.take(home.lock_file) is None
    assert home.lock_file.read_text() == before
    assert stand_in.poll() is None


def test_a_link_in_the_place_of_the_lock_is_not_followed(home: Home, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    home.lock_file.symlink_to(tmp_path / "precious")

    with pytest.raises(PipelineError, match="did not make it: remove it"):
        process.find(home)
    with pytest.raises(OSError, match="symbolic link"):
        holder.take(home.lock_file)
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_file_in_the_place_of_the_lock_is_an_error_and_not_waited_for(
    home: Home, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "pipe":
        os.mkfifo(home.lock_file)
    elif kind == "folder":
        home.lock_file.mkdir()
    else:
        monkeypatch.setattr(Home, "lock_file", Path("/dev/zero"))

    for act in (process.find, process.stop, process.start):
        with pytest.raises(PipelineError, match="did not make it: remove it"):
            act(home)
    with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
        holder.take(home.lock_file)
