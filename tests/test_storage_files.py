"""One writer a file, under a name that nobody can guess; what is no file is never replaced."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pipeline.errors import TargetError
from pipeline.storage import AtomicFile, AtomicFolder, Claim, open_log
from pipeline.workspace import PROJECT
from tests.devices import a_device
from tests.exports.corpus import names

WRITE = """
import pathlib, sys, time
from pipeline.storage import AtomicFile
with AtomicFile(pathlib.Path(sys.argv[1])) as part:
    part.write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""


@contextmanager
def writing(target: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process write `target`, and end it by a kill."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(target)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def write(target: Path, text: str = "new") -> None:
    with AtomicFile(target) as part:
        part.write_text(text, encoding="utf-8")


def test_the_second_is_told_who_is_writing_since_when(tmp_path: Path) -> None:
    with (
        writing(tmp_path / "out") as process,
        pytest.raises(
            TargetError, match=rf"process {process.pid} has been writing it since \d{{4}}-"
        ),
    ):
        write(tmp_path / "out")


def test_what_a_killed_writer_left_blocks_nobody_and_is_gone(tmp_path: Path) -> None:
    with writing(tmp_path / "out"):
        pass
    assert len(names(tmp_path)) == 2

    write(tmp_path / "out")

    assert names(tmp_path) == ["out"]


def test_a_live_writer_of_another_file_is_left_alone(tmp_path: Path) -> None:
    with writing(tmp_path / "out.2"):
        before = names(tmp_path)

        write(tmp_path / "out")

        assert names(tmp_path) == sorted([*before, "out"])


def test_of_many_threads_at_once_one_writes_and_the_others_are_told(tmp_path: Path) -> None:
    told: list[str] = []
    written: list[str] = []

    def run(name: str) -> None:
        for _ in range(50):
            try:
                write(tmp_path / "out", name * 1000)
                written.append(name)
            except TargetError as error:
                told.append(error.problem)

    threads = [threading.Thread(target=run, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert written
    assert all(f"process {os.getpid()}" in one or "another process" in one for one in told)
    assert len(set((tmp_path / "out").read_text())) == 1
    assert names(tmp_path) == ["out"]


def _link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def _hard_link(path: Path, victim: Path) -> None:
    os.link(victim, path)


@pytest.mark.parametrize("plant", [_link, _hard_link], ids=["link", "hard link"])
@pytest.mark.parametrize("name", [".out.part", ".out.writer.part", f".out.{'0' * 16}.part", "out"])
def test_nothing_is_written_through_a_planted_link(
    tmp_path: Path, name: str, plant: object
) -> None:
    victim = tmp_path / "elsewhere" / "victim"
    victim.parent.mkdir()
    victim.write_text("mine")
    (tmp_path / "here").mkdir()
    plant(tmp_path / "here" / name, victim)  # type: ignore[operator]

    with suppress(TargetError):
        write(tmp_path / "here" / "out")

    assert victim.read_text() == "mine"
    assert (tmp_path / "here" / name).is_symlink() or plant is _hard_link


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder", "device"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    if kind == "device":
        a_device(target)
    elif kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        (tmp_path / "there").touch()
        target.symlink_to(tmp_path / ("there" if kind == "link" else "gone"))
    before = target.lstat().st_mode

    said = f"a {kind.removeprefix('dangling ')}, not a file\nNothing is written over it"
    with pytest.raises(TargetError, match=said):
        write(target)

    assert target.lstat().st_mode == before
    assert not [name for name in names(target.parent) if name.endswith(".part")]


@pytest.mark.parametrize("target", ["/", ".", ".."])
def test_a_folder_above_is_no_file(tmp_path: Path, target: str) -> None:
    with pytest.raises(TargetError, match="a folder, not a file"):
        write(Path(target))


def test_a_target_that_became_a_link_meanwhile_is_left(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")

    def fill() -> None:
        with AtomicFile(tmp_path / "out") as part:
            part.write_text("new")
            (tmp_path / "out").symlink_to(tmp_path / "victim")

    with pytest.raises(TargetError, match="a link, not a file"):
        fill()

    assert (tmp_path / "victim").read_text() == "mine"
    assert names(tmp_path) == ["out", "victim"]


def test_a_name_as_long_as_a_disk_takes_is_written_and_a_longer_one_is_an_error(
    tmp_path: Path,
) -> None:
    write(tmp_path / ("ä" * 127))

    with pytest.raises(TargetError, match="File name too long"):
        write(tmp_path / ("x" * 300))

    assert names(tmp_path) == ["ä" * 127]


def test_a_secret_is_the_owners_from_its_first_byte(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with AtomicFile(tmp_path / "key", mode=0o600) as part:
            assert stat.S_IMODE(part.stat().st_mode) == 0o600
        with AtomicFile(tmp_path / "open") as part:
            pass
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o666


def test_temporary_names_differ_and_are_hidden(tmp_path: Path) -> None:
    found = {AtomicFile(tmp_path / "out").path.name for _ in range(100)}

    assert len(found) == 100
    assert all(name.startswith(".out.") and name.endswith(".part") for name in found)


def test_a_claim_of_a_live_process_outlives_a_signal_to_another(tmp_path: Path) -> None:
    with writing(tmp_path / "out") as process:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(TargetError, match="has been writing it"), Claim(tmp_path / "out"):
            pass
        process.send_signal(signal.SIGCONT)


def test_a_log_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "log").symlink_to(tmp_path / "victim")

    for anew in (False, True):
        with pytest.raises(TargetError, match="a link, not a file"):
            open_log(tmp_path / "log", anew=anew)

    assert (tmp_path / "victim").read_text() == "mine"


def test_a_file_in_a_folder_that_is_reached_by_a_link_is_replaced_like_any_other(
    tmp_path: Path,
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")

    write(tmp_path / "link" / "out")
    with AtomicFolder(tmp_path / "link" / "folder") as folder:
        (folder / "file").touch()

    assert (tmp_path / "disk" / "out").read_text() == "new"
    assert names(tmp_path / "disk" / "folder") == ["file"]


@pytest.mark.parametrize(("before", "after"), [(0o600, 0o600), (0o640, 0o640), (0o444, 0o644)])
def test_who_else_may_use_a_file_stays_as_its_owner_chose(
    tmp_path: Path, before: int, after: int
) -> None:
    (tmp_path / "out").touch(mode=0o600)
    (tmp_path / "out").chmod(before)

    write(tmp_path / "out")

    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == after
