"""`python -m studies`: figures, with how they were made."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.storage import MARKER, read_json
from pipeline.workspace import PROJECT
from studies import STUDIES
from studies.__main__ import describe_machine
from tests.cli.command import Cli
from tests.in_the_way import a_file, a_folder, a_link


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _figures(data: Path, scratch: Path) -> dict[str, Any]:
    assert scratch.is_dir()
    return {"figures.json": {"rows": len(list(data.iterdir()))}}


def test_the_studies_are_listed(study: Cli) -> None:
    code, out, _ = study()

    assert (code, out.split()) == (0, list(STUDIES))


def test_figures_are_left_with_how_they_were_made(
    place: Path, study: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STUDIES, "counting", _figures)
    (place / "data").mkdir()
    (place / "data" / "one").touch()

    code, _, _ = study("counting", "--data", "data", "--out", "studies")

    run = read_json(place / "studies" / "counting" / "run.json")
    assert code == 0
    assert read_json(place / "studies" / "counting" / "figures.json") == {"rows": 1}
    assert run["command"] == "python -m studies counting --data DIR"
    assert {"started", "wall_s", "commit", "machine", "packages"} <= set(run)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "study 'nothing': not known\nThere are: "),
        (("corpora",), "--data is missing"),
        (("corpora", "--data", "gone"), "gone: no such file or folder"),
    ],
)
def test_wrong_usage_is_exit_2(
    place: Path, study: Cli, arguments: tuple[str, ...], said: str
) -> None:
    code, _, err = study(*arguments)

    assert code == 2
    assert said in err


@pytest.mark.parametrize("there", [a_file, a_folder, a_link])
def test_what_is_no_study_is_not_written_over(
    place: Path, study: Cli, monkeypatch: pytest.MonkeyPatch, there: Callable[[Path], None]
) -> None:
    monkeypatch.setitem(STUDIES, "counting", _figures)
    there(place / "counting")
    before = {path: path.is_file() and path.read_text() for path in place.rglob("*")}

    code, _, err = study("counting", "--data", ".", "--out", ".")

    assert code == 2
    assert re.search(r"^error: .*(not empty|not a folder)", err, flags=re.MULTILINE)
    assert {path: path.is_file() and path.read_text() for path in place.rglob("*")} == before


def test_a_study_of_before_there_were_markers_is_replaced(
    place: Path, study: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STUDIES, "counting", _figures)
    shutil.copytree(PROJECT / "reports" / "studies" / "routing", place / "counting")

    assert study("counting", "--data", ".", "--out", ".")[0] == 0

    assert {path.name for path in (place / "counting").iterdir()} == {
        *(MARKER, "figures.json", "run.json")
    }


def test_the_folder_of_the_checkout_is_enough_to_run_them() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "studies"], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.split()) == (0, list(STUDIES))


def test_the_machine_is_described_without_its_name() -> None:
    described = describe_machine()

    assert described["cores"] >= 1
    assert socket.gethostname() not in str(described)
