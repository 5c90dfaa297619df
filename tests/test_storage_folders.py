"""A folder appears whole or not at all, whatever ends the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import TargetError
from pipeline.storage import MARKER, AtomicFolder
from pipeline.workspace import PROJECT
from tests.exports.corpus import names

# Fills a folder for ever, as a large export does.
FILL = """
import pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000_000, 50_000_000))
from pipeline.storage import MARKER, AtomicFolder
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


def make(target: Path, *files: str, what: str = "cards") -> None:
    with AtomicFolder(target, what=what) as folder:
        for name in files:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(name)


def test_a_folder_of_ours_is_replaced_whole(tmp_path: Path) -> None:
    make(tmp_path / "out", "a", "old/b")
    make(tmp_path / "out", "a", "new/c")

    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == [MARKER, "a", "new"]


def test_the_old_one_stays_until_the_new_one_stands(tmp_path: Path) -> None:
    make(tmp_path / "out", "a")

    def fill() -> None:
        with AtomicFolder(tmp_path / "out", what="cards") as folder:
            (folder / "b").touch()
            assert names(tmp_path / "out") == [MARKER, "a"]
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fill()

    assert names(tmp_path / "out") == [MARKER, "a"]
    assert names(tmp_path) == ["out"]


def _foreign(out: Path) -> None:
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")


def _work_within(out: Path) -> None:
    make(out, "a")
    (out / "thesis.txt").write_text("years of work")


def _of_another_kind(out: Path) -> None:
    make(out, "thesis.txt", what="students")


def _a_forged_marker(out: Path) -> None:
    _foreign(out)
    (out / MARKER).write_text("cards")


def _a_marker_that_leads_elsewhere(out: Path) -> None:
    _foreign(out)
    make(out.parent / "other", "thesis.txt")
    (out / MARKER).symlink_to(out.parent / "other" / MARKER)


@pytest.mark.parametrize(
    "there",
    [_foreign, _work_within, _of_another_kind, _a_forged_marker, _a_marker_that_leads_elsewhere],
)
def test_what_a_person_may_have_made_is_never_replaced(
    tmp_path: Path, there: Callable[[Path], None]
) -> None:
    there(tmp_path / "out")
    before = names(tmp_path / "out")

    with pytest.raises(
        TargetError, match=r"out: (not empty, and not made|holds thesis\.txt, which)"
    ):
        make(tmp_path / "out", "a")

    assert names(tmp_path / "out") == before


def test_a_folder_of_before_there_were_markers_is_known_by_what_it_holds(tmp_path: Path) -> None:
    _foreign(tmp_path / "out")

    with AtomicFolder(tmp_path / "out", what="cards", known=lambda one: one.is_dir()) as folder:
        (folder / "a").touch()

    assert names(tmp_path / "out") == [MARKER, "a"]


def test_a_link_to_a_folder_is_not_replaced(tmp_path: Path) -> None:
    make(tmp_path / "there", "a")
    (tmp_path / "out").symlink_to(tmp_path / "there")

    with pytest.raises(TargetError, match="a link, not a folder"):
        make(tmp_path / "out", "b")

    assert names(tmp_path / "there") == [MARKER, "a"]


@pytest.mark.parametrize("target", ["/", ".", "..", "../.."])
def test_the_current_folder_and_those_above_it_are_refused_even_if_empty(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")

    with pytest.raises(TargetError, match="the current folder, or one above it"):
        make(Path(target), "x")

    assert names(tmp_path) == ["a"]


def test_a_disk_of_its_own_is_refused(small_disk: Path) -> None:
    with pytest.raises(TargetError, match="a disk of its own\nChoose a folder on it"):
        make(small_disk, "a")

    assert names(small_disk) == []


# Stops where the old folder is moved away and the new one is not in its place yet.
KILLED_BETWEEN = """
import os, pathlib, sys
from pipeline.storage import MARKER, AtomicFolder
target, rename = pathlib.Path(sys.argv[1]), os.rename
def killed(old, new):
    if pathlib.Path(new) == target:
        os._exit(9)
    rename(old, new)
os.rename = killed
with AtomicFolder(target, what="cards") as folder:
    (folder / "b").touch()
"""


def test_a_kill_between_old_and_new_loses_neither(tmp_path: Path) -> None:
    make(tmp_path / "out", "a")
    subprocess.run(
        [sys.executable, "-c", KILLED_BETWEEN, str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=False,
    )
    assert not (tmp_path / "out").exists()

    with (
        pytest.raises(ValueError, match="half way"),
        AtomicFolder(tmp_path / "out", what="cards"),
    ):
        raise ValueError("half way")

    assert names(tmp_path / "out") == [MARKER, "a"]
    assert names(tmp_path) == ["out"]


def test_a_folder_that_only_looks_like_a_left_over_is_not_removed(tmp_path: Path) -> None:
    mine = tmp_path / f".out.{'0' * 16}.part"
    _foreign(mine)

    make(tmp_path / "out", "a")

    assert (mine / "thesis.txt").read_text() == "years of work"
