"""Wherever a command writes: what it did not make stays, one clear error, exit 2."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline.annotation.local_argilla import home, install
from pipeline.cli import app
from pipeline.errors import TargetError
from pipeline.storage import MARKER
from pipeline.workspace import PROJECT
from tests.cli.command import Cli, distillery
from tests.devices import a_device
from tests.in_the_way import a_file, a_folder
from tests.tiny import tiny_base

REFUSED = (
    "not empty|not a folder|not a file|the current folder|File name too long|Not a directory|"
    "File exists|is the file itself"
)
NOT_AT_THE_ROOT = ("annotate up", "annotate up --venv")
ANSWERS = "utterance,response\nI lost my dog.,I am sorry.\nI won.,As an AI I cannot say.\n"
FOLDERS: dict[str, tuple[str, ...]] = {
    "export": ("export", "direct-listener_b", "--out"),
    "export-student": ("export-student", "base_model", "--format", "adapters", "--out"),
    "repro": ("repro", "--source", "sample", "--path", "raw.jsonl", "--out"),
    "audit": ("audit", "answers.csv", "--out"),
    "audit apply": (
        *("audit", "apply", "answers.csv", "--audit", "audited", "--drop", "refusals"),
        "--out",
    ),
    "annotate up": ("annotate", "up", "--home"),
    "annotate up --venv": ("annotate", "up", "--home", "home", "--venv"),
}
FILES: dict[str, tuple[str, ...]] = {
    "score": ("score", "answers.csv", "--out"),
    "tuning": ("tuning", "--out"),
    "accept": ("accept", "--expectations", "expectations.json", "--out"),
    "annotate import": ("annotate", "import", "labels.csv", "--out"),
    "annotate export": ("annotate", "export", "--file", "round.jsonl", "--out"),
    "ledger export": ("ledger", "export", "--ledger", "ledger.sqlite"),
    "ingest": (
        *("ingest", "--exchanges", "x.parquet", "--responses", "y.parquet"),
        *("--rejections", "z.parquet", "--metrics"),
    ),
}


@pytest.fixture
def place(project: Path, sample_build: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: two levels below, with all that the commands read."""
    here = project / "above" / "here"
    shutil.copytree(sample_build, here)
    for name in ("params.yaml", "dvc.yaml", "datasets/sample"):
        shutil.move(project / name, here / name)
    shutil.copy(PROJECT / "datasets" / "sample" / "exchanges.jsonl", here / "raw.jsonl")
    shutil.copytree(PROJECT / "annotations" / "guidelines", here / "annotations" / "guidelines")
    (here / "answers.csv").write_text(ANSWERS)
    (here / "labels.csv").write_text("item_id,annotator,question,value\nr1,ann,empathy,2\n")
    (here / "round.jsonl").touch()
    (here / "expectations.json").write_text(json.dumps({"source": "sample", "tables": {}}))
    monkeypatch.chdir(here)
    monkeypatch.setenv("DISTILLERY_OFFLINE", "1")
    return here


def tree(folder: Path) -> dict[str, Any]:
    """Return all in `folder`: what kind it is, its rights, and its content."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else "",
        )
        for path in folder.rglob("*")
        if ".distillery" not in path.parts
    }


def _prepare(command: str, place: Path, cli: Cli) -> None:
    if command == "export-student":
        tiny_base(place / "datasets" / "students" / "base_model", context=64)
    if command == "audit apply":
        assert cli("audit", "answers.csv", "--out", "audited")[0] in (0, 1)
    if command == "ledger export":
        from pipeline.llm.ledger import Ledger

        Ledger(place / "ledger.sqlite").close()


def _link_to_file(path: Path) -> None:
    (path.parent / "there").touch()
    path.symlink_to(path.parent / "there")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _nothing(_: Path) -> None:
    pass


def is_refused(cli: Cli, place: Path, *command: str) -> None:
    before = tree(place.parents[1])

    code, _, err = cli(*command)

    assert code == 2, err
    (said,) = re.findall(r"^error: (.*)$", err, flags=re.MULTILINE)
    assert re.search(REFUSED, said)
    assert "Traceback" not in err
    assert tree(place.parents[1]) == before


@pytest.mark.parametrize("command", FOLDERS)
@pytest.mark.parametrize(
    ("out", "there"),
    [
        (".", _nothing),
        ("..", _nothing),
        ("../..", _nothing),
        ("out", a_file),
        ("out", a_folder),
        ("out", _pipe),
        ("answers.csv/out", _nothing),
        ("x" * 300, _nothing),
    ],
    ids=["here", "above", "further up", "file", "foreign", "pipe", "in a file", "long"],
)
def test_a_folder_is_never_written_over_what_the_command_did_not_make(
    place: Path, cli: Cli, command: str, out: str, there: Callable[[Path], None]
) -> None:
    _prepare(command, place, cli)
    there(place / out)

    is_refused(cli, place, *FOLDERS[command], out)


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize(
    ("out", "there"),
    [
        (".", _nothing),
        ("..", _nothing),
        ("out", a_folder),
        ("out", _link_to_file),
        ("out", _pipe),
        ("out", a_device),
        ("answers.csv/out", _nothing),
        ("x" * 300, _nothing),
    ],
    ids=["here", "above", "folder", "link", "pipe", "device", "in a file", "long"],
)
def test_a_file_is_never_written_over_what_is_no_file(
    place: Path, cli: Cli, command: str, out: str, there: Callable[[Path], None]
) -> None:
    _prepare(command, place, cli)
    there(place / out)

    is_refused(cli, place, *FILES[command], out)


def test_an_audit_is_replaced_by_the_next_with_and_without_a_marker(place: Path, cli: Cli) -> None:
    for marker in (True, False):
        cli("audit", "answers.csv", "--out", "audited")
        assert (place / "audited" / MARKER).is_file()
        if not marker:
            (place / "audited" / MARKER).unlink()

    assert cli("audit", "answers.csv", "--out", "audited")[0] in (0, 1)

    assert sorted(one.name for one in (place / "audited").iterdir()) == [
        *(MARKER, "findings.parquet", "index.html", "summary.json")
    ]


def test_a_cleaned_copy_is_replaced_by_the_next_of_the_same_file_alone(
    place: Path, cli: Cli
) -> None:
    _prepare("audit apply", place, cli)
    for _ in range(2):
        assert cli(*FOLDERS["audit apply"], "clean")[0] == 0
    shutil.copy(place / "answers.csv", place / "others.csv")
    others = [one.replace("answers", "others") for one in FOLDERS["audit apply"]]

    is_refused(cli, place, *others, "clean")


@pytest.mark.parametrize(
    "command", [name for name in (FOLDERS | FILES) if name not in NOT_AT_THE_ROOT]
)
def test_the_root_of_the_machine_is_no_output(place: Path, cli: Cli, command: str) -> None:
    _prepare(command, place, cli)

    is_refused(cli, place, *(FOLDERS | FILES)[command], "/")


def test_the_root_of_the_machine_is_no_place_for_a_server() -> None:
    """Checked and not run: what would go wrong is the end of the machine."""
    with pytest.raises(TargetError, match="not empty, and no server's folder"):
        home._require_own(home.home_at(Path("/")))
    with pytest.raises(TargetError, match="the current folder, or one above it"):
        install.check_place(home.home_at(Path("home"), Path("/")))


def test_an_environment_is_made_where_nothing_of_another_is(place: Path, cli: Cli) -> None:
    """Offline nothing is installed, so what is there must be refused before that."""
    a_folder(place / "venv")

    done = distillery(
        *("annotate", "up", "--home", "home", "--venv", "venv"),
        cwd=place,
        env={"DISTILLERY_OFFLINE": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/"},
    )

    assert done.returncode == 2
    assert "venv: not empty, and not made by this command" in done.stderr
    assert (place / "venv" / "thesis.txt").read_text() == "years of work"


HOLD = """
import pathlib, sys
from pipeline.storage import Claim
with Claim(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Let another process write `path`; gives its id."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        yield other.pid
        other.communicate()


WRITERS = {name: one for name, one in (FOLDERS | FILES).items() if "annotate up" not in name}


@pytest.mark.parametrize("command", WRITERS)
def test_the_second_to_write_the_same_is_told_who_is_writing(
    place: Path, cli: Cli, command: str
) -> None:
    _prepare(command, place, cli)

    with held(place / "out") as holder:
        before = tree(place)
        code, _, err = cli(*WRITERS[command], "out")

        assert code == 2
        assert re.search(rf"^error: .*out: process {holder} has been writing it since ", err)
        assert tree(place) == before


def test_two_options_that_name_one_path_are_told_so(place: Path, cli: Cli) -> None:
    before = tree(place)

    code, _, err = cli(
        *("ingest", "--exchanges", "x", "--responses", "x"),
        *("--rejections", "y", "--metrics", "z"),
    )

    assert code == 2
    assert re.search(r"^error: x: two options name this one path\nGive each a path of its own", err)
    assert tree(place) == before


OUT = {"out", "page", "rewards", "weights", "rejections", "home", "venv"}
ELSEWHERE = {
    "diff": "a page, tests/test_storage_links.py",
    "reward rank": "tables and lines, tests/test_storage_links.py",
    "reward filter": "tables and lines, tests/test_storage_links.py",
    "reward suggest": "lines, tests/test_storage_links.py",
    "annotate down": "only reads its home",
    "annotate status": "only reads its home",
    "annotate push": "only reads its home",
    "annotate pull": "only reads its home",
    "annotate adjudicate": "only reads its home",
}


def test_every_command_for_people_that_writes_where_it_is_told_is_in_a_table_here() -> None:
    tables = {name.removesuffix(" --venv") for name in FOLDERS} | set(FILES) - {"ingest"}

    assert {name.replace("audit file", "audit") for name in _writing(app)} == {*tables, *ELSEWHERE}


def _writing(group: typer.Typer, path: str = "") -> Iterator[str]:
    """Yield the commands for people that take a path of `OUT`."""
    for info in group.registered_commands:
        if info.callback and not info.hidden:
            name = info.name or info.callback.__name__.replace("_", "-")
            if OUT & set(signature(info.callback).parameters):
                yield f"{path}{name}"
    for info in group.registered_groups:
        if info.typer_instance:
            yield from _writing(info.typer_instance, f"{path}{info.name} ")
