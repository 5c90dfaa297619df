"""What a killed DVC leaves in its lock file is named, and mended unless DVC is at work."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import dvc_locks
from pipeline.dvc_locks import DvcBusyError, find_problem, mend_locks
from pipeline.errors import PipelineError
from pipeline.workspace import PROJECT, reproduce

GONE = 2**22 + 1  # above the highest process number of Linux


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a DVC workspace with one stage."""
    _dvc(tmp_path, "init", "--no-scm", "--quiet")
    (tmp_path / "dvc.yaml").write_text("stages: {make: {cmd: echo made > out, outs: [out]}}\n")
    return tmp_path


def _dvc(folder: Path, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=folder, capture_output=True, check=False
    )
    return done.returncode


def left(folder: Path, text: str) -> Path:
    path = folder / ".dvc" / "tmp" / "rwlock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["", '{"write": {"/a"', "[]", '{"write": 3}', "[" * 100_000])
def test_a_lock_file_that_a_killed_dvc_left_stops_dvc_and_is_mended_by_a_build(
    folder: Path, text: str
) -> None:
    left(folder, text)
    assert _dvc(folder, "repro", "--quiet") != 0

    reproduce(folder, [], quiet=True)

    assert (folder / "out").read_text() == "made\n"
    assert find_problem(folder) is None


def held_for(pid: int) -> dict[str, object]:
    user = {"pid": pid, "cmd": "dvc repro"}
    return {"write": {"/out": user}, "read": {"/in": [user]}}


@pytest.mark.parametrize("pid", [GONE, 1])
def test_a_lock_of_a_process_that_is_gone_or_another_by_now_is_taken_away(
    tmp_path: Path, pid: int
) -> None:
    path = left(tmp_path, json.dumps(held_for(pid)))

    assert f"process {pid}, which is gone" in str(mend_locks(tmp_path))
    assert json.loads(path.read_text()) == {"write": {}, "read": {}}
    assert mend_locks(tmp_path) is None


def test_a_lock_of_a_living_dvc_or_of_a_program_that_uses_it_is_left_alone(tmp_path: Path) -> None:
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    text = json.dumps(held_for(living.pid))
    path = left(tmp_path, text)

    assert mend_locks(tmp_path) is None
    assert path.read_text() == text
    living.communicate()


def test_a_process_that_began_after_the_lock_was_written_does_not_hold_it(tmp_path: Path) -> None:
    later = subprocess.Popen([sys.executable, "-c", "input()", "dvc"], stdin=subprocess.PIPE)
    path = left(tmp_path, json.dumps(held_for(later.pid)))
    os.utime(path, (time.time() - 60, time.time() - 60))

    assert "which is gone" in str(mend_locks(tmp_path))
    later.communicate()


def test_a_lock_file_that_is_none_is_for_a_person(tmp_path: Path) -> None:
    (tmp_path / ".dvc" / "tmp" / "rwlock").mkdir(parents=True)

    assert "is no file" in str(find_problem(tmp_path))
    with pytest.raises(PipelineError, match="Remove it"):
        mend_locks(tmp_path)


STAGES = "stages: {a: {cmd: echo > x, outs: [x]}, b: {cmd: echo > y, deps: [x], outs: [y]}}\n"


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.95])
def test_a_dvc_lock_that_a_killed_dvc_left_half_written_is_mended_by_a_build(
    folder: Path, share: float
) -> None:
    (folder / "dvc.yaml").write_text(STAGES)
    assert _dvc(folder, "repro", "--quiet") == 0
    record = folder / "dvc.lock"
    whole = record.read_text()
    record.write_text(whole[: int(len(whole) * share)])

    reproduce(folder, [], quiet=True)

    assert record.read_text() == whole
    assert find_problem(folder) is None


def test_a_dvc_lock_with_the_conflict_of_a_merge_is_left_to_a_person(tmp_path: Path) -> None:
    text = "schema: '2.0'\nstages:\n<<<<<<< HEAD\n  a:\n    cmd: x\n=======\n>>>>>>> other\n"
    (tmp_path / "dvc.lock").write_text(text)

    assert mend_locks(tmp_path) is None
    assert (tmp_path / "dvc.lock").read_text() == text


@pytest.mark.parametrize("name", ["rwlock.lock", "lock"])
def test_nothing_is_mended_while_a_dvc_process_holds_its_locks(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvc_locks, "WAIT_S", 0.1)
    path = left(tmp_path, "")
    with path.with_name(name).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DvcBusyError, match="held by a DVC process"):
            mend_locks(tmp_path)

    assert path.read_text() == ""


def test_make_repro_mends_before_it_builds() -> None:
    recipe = (PROJECT / "Makefile").read_text().partition("\nrepro:")[2].partition("\n\n")[0]

    assert recipe.index("distillery doctor --fix") < recipe.index("\tdvc repro")
