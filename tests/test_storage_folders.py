"""A folder appears whole or not at all, whatever ends the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import TargetError
from pipeline.storage import AtomicFolder
from pipeline.workspace import PROJECT
from tests.exports.corpus import names

# Fills a folder for ever, as a large export does.
FILL = """
import pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000_000, 50_000_000))
from pipeline.storage import AtomicFolder
with AtomicFolder(pathlib.Path(sys.argv[1])) as folder:
    print("begun", flush=True)
    with (folder / "rows").open("wb") as stream:
        while True:
            stream.write(b"row" * 1000)
"""


def filling(target: Path) -> subprocess.Popen[str]:
    """Start to fill `target`; return the process when it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", FILL, str(target)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def test_a_folder_that_was_filled_is_all_there(tmp_path: Path) -> None:
    with AtomicFolder(tmp_path / "out") as folder:
        (folder / "data").mkdir()
        (folder / "data" / "rows").write_text("all")
        assert not (tmp_path / "out").exists()

    assert (tmp_path / "out/data/rows").read_text() == "all"
    assert names(tmp_path) == ["out"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    with AtomicFolder(tmp_path / "out") as folder:
        (folder / "rows").touch()

    assert names(tmp_path / "out") == ["rows"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def fill() -> None:
        with AtomicFolder(tmp_path / "out") as folder:
            (folder / "rows").touch()
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fill()

    assert names(tmp_path) == []


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(TargetError, match=r"not empty\nNothing is written over"):
        AtomicFolder(tmp_path).__enter__()

    assert names(tmp_path) == ["thesis.txt"]


def test_a_folder_that_was_filled_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    def fill() -> None:
        with AtomicFolder(tmp_path / "out"):
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "thesis.txt").write_text("years of work")

    with pytest.raises(TargetError, match="not empty"):
        fill()

    assert (tmp_path / "out/thesis.txt").read_text() == "years of work"
    assert names(tmp_path) == ["out"]


def test_a_file_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "out").touch()

    with pytest.raises(TargetError, match="a file, not a folder"):
        AtomicFolder(tmp_path / "out").__enter__()


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    with AtomicFolder(tmp_path / "out") as folder:
        with pytest.raises(TargetError, match=r"process \d+ has been writing it since"):
            AtomicFolder(tmp_path / "out").__enter__()
        (folder / "rows").touch()

    assert names(tmp_path / "out") == ["rows"]


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    process = filling(tmp_path / "out")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode != 0
    assert names(tmp_path) == []


def test_what_a_kill_left_is_hidden_and_gone_after_the_next_run(tmp_path: Path) -> None:
    process = filling(tmp_path / "out")
    time.sleep(0.05)
    process.kill()
    process.communicate(timeout=30)
    assert all(name.startswith(".out.") and name.endswith(".part") for name in names(tmp_path))

    with AtomicFolder(tmp_path / "out") as folder:
        (folder / "mine").touch()

    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["mine"]


def test_a_disk_that_takes_no_more_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    process = filling(tmp_path / "out")  # files may grow to 50 MB there
    _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "File too large\nNothing was kept. Free disk space" in err
    assert names(tmp_path) == []
