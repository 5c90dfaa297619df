"""A full disk and a read-only one: one clear error, exit 2, earlier outputs as they were."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.workspace import PROJECT
from tests.builds import edit_params, write_csv
from tests.cli.command import Cli, distillery
from tests.sources.raw import study_row

SAMPLE = "datasets/sample/exchanges.jsonl"
INGEST = (
    "ingest",
    *("--exchanges", "out/exchanges.parquet", "--responses", "out/responses.parquet"),
    *("--rejections", "out/rejections.parquet", "--metrics", "out/ingest.json"),
)
AUDIT = ("audit", "answers.csv", "--out", "audited")
REPRO = ("repro", "--source", "sample", "--path", "raw.jsonl", "--out", "build")
COMMANDS = {"ingest": INGEST, "audit": AUDIT}


def fill(disk: Path, spared: int) -> None:
    """Leave `spared` bytes on the disk."""
    left = shutil.disk_usage(disk).free - spared
    (disk / "filler").write_bytes(bytes(max(0, left)))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".distillery" not in path.parts
    }


@pytest.fixture
def place(small_disk: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, on the small disk, with outputs of an earlier run."""
    monkeypatch.setenv("TMPDIR", "/tmp")
    shutil.copy(PROJECT / "params.yaml", small_disk)
    edit_params(small_disk / "params.yaml", ingest={"source": "welivita2024", "path": "raw.csv"})
    write_csv(small_disk / "raw.csv", [study_row(1), study_row(2)])
    (small_disk / "answers.csv").write_text("utterance,response\nI won.,Well done.\n")
    monkeypatch.chdir(small_disk)
    for command in COMMANDS.values():
        assert cli(*command)[0] in (0, 1)
    write_csv(small_disk / "raw.csv", [study_row(number) for number in range(1, 30)])
    (small_disk / "answers.csv").write_text("utterance,response\n" + "I won.,As an AI I.\n" * 50)
    return small_disk


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("spared", [0, 4096, 8192, 12288, 16384, 20480])
def test_a_disk_that_fills_up_leaves_the_earlier_outputs(
    place: Path, cli: Cli, command: str, spared: int
) -> None:
    fill(place, spared)
    before = contents(place)

    code, _, err = cli(*COMMANDS[command])

    assert code == 2
    assert err.startswith("error: ")
    assert "No space left on device\nNothing was kept. Free disk space" in err
    assert ".part" not in err
    assert contents(place) == before


@pytest.mark.parametrize("command", [*COMMANDS, "repro"])
def test_a_read_only_disk_is_one_message(
    place: Path, cli: Cli, command: str, make_read_only: Callable[[], None]
) -> None:
    (place / "raw.jsonl").write_bytes((PROJECT / "datasets/sample/exchanges.jsonl").read_bytes())
    before = contents(place)
    make_read_only()

    code, _, err = cli(*{**COMMANDS, "repro": REPRO}[command])

    assert code == 2
    assert "Read-only file system\nNothing was changed." in err
    assert "Traceback" not in err
    assert contents(place) == before


def test_a_stage_of_dvc_on_a_read_only_disk_says_so_too(
    place: Path, make_read_only: Callable[[], None]
) -> None:
    make_read_only()

    done = distillery(*INGEST, cwd=place, env={"DVC_STAGE": "ingest"})

    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Read-only file system" in done.stderr


def test_a_table_under_a_name_that_is_not_utf_8_is_one_message(project: Path, cli: Cli) -> None:
    edit_params(project / "params.yaml", ingest={"source": "sample", "path": SAMPLE})
    name = os.fsdecode(b"out/caf\xe9.parquet")

    code, _, err = cli("ingest", "--exchanges", name, *INGEST[3:])

    assert code == 2
    assert "the path is not UTF-8, and no table is read or written under such a name" in err
    assert not [path for path in (project / "out").iterdir() if path.is_file()]
