"""`distillery repro`: another corpus in a folder of its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pipeline.reporting.counts import counts_table
from pipeline.storage import read_json
from pipeline.workspace import PROJECT
from tests.builds import SAMPLE, write_csv
from tests.cli.command import Cli, distillery
from tests.sources.raw import study_row


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of every output in a workspace."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("datasets", "reports")
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a workspace with a small study, and what was printed."""
    folder = tmp_path_factory.mktemp("repro")
    raw = write_csv(folder / "study.csv", [study_row(number) for number in range(1, 25)])
    done = distillery(*_repro(raw, folder / "out"), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def _repro(raw: Path, out: Path, *more: str) -> list[str]:
    return [
        "repro",
        *("--source", "welivita2024", "--path", str(raw), "--out", str(out), "--json", *more),
    ]


@pytest.mark.slow
def test_the_counts_are_printed_and_left_in_the_folder(built: tuple[Path, str]) -> None:
    folder, printed = built

    assert json.loads(printed) == read_json(folder / "out/reports/metrics/corpora.json")
    assert len(json.loads(printed)["corpora"]) == 5


@pytest.mark.slow
def test_bad_input_leaves_the_earlier_build_byte_for_byte(built: tuple[Path, str]) -> None:
    folder, _ = built
    before = digests(folder / "out")
    raw = write_csv(folder / "study.csv", [study_row(1), study_row(2, rating_human="7")])

    done = distillery(*_repro(raw, folder / "out"), cwd=folder)

    assert (done.returncode, done.stdout) == (2, "")
    assert "study.csv row 2: rating_human is '7'" in done.stderr
    assert "Traceback" not in done.stderr
    assert digests(folder / "out") == before


@pytest.mark.slow
def test_until_an_early_stage_prints_no_counts_of_an_earlier_build(
    built: tuple[Path, str],
) -> None:
    folder, _ = built
    raw = write_csv(folder / "study.csv", [study_row(number) for number in range(1, 9)])

    done = distillery(*_repro(raw, folder / "out", "--until", "split"), cwd=folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "split is done" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--source", "nowhere"), "source 'nowhere': not known"),
        (
            ("--source", "sample", "--until", "fly"),
            "--until fly: no such stage\nThere are: ingest",
        ),
        (("--source", "sample"), "--path is missing: source sample has no public file"),
        (("--source", "welivita2024"), "Get it with `distillery fetch welivita2024`"),
        (("--source", "sample", "--path", "gone.jsonl"), "gone.jsonl: no such file"),
    ],
)
def test_wrong_usage_is_exit_2_and_makes_no_folder(
    project: Path, cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = cli("repro", "--out", "build", *arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert not (project / "build").exists()


@pytest.mark.parametrize(
    ("out", "said"),
    [
        (".", "not empty, and not made by this command"),
        ("pipeline", "within the code or data of a build"),
        ("pipeline/x", "within the code or data of a build"),
        ("reports/studies/x", "within the code or data of a build"),
    ],
)
def test_the_project_itself_is_not_built_over(project: Path, cli: Cli, out: str, said: str) -> None:
    code, _, err = cli("repro", "--source", "sample", "--path", SAMPLE, "--out", PROJECT / out)

    assert code == 2
    assert said in err
    assert not (PROJECT / "pipeline" / "x").exists()


def test_the_counts_are_a_table_for_people() -> None:
    counts = read_json(PROJECT / "reports" / "studies" / "corpora" / "corpora.json")

    lines = counts_table(counts)

    assert lines[0] == "welivita2024: 1,750 train / 250 test exchanges (rule `papers`)"
    assert "| direct-all_together | 2,394 | 4,788 | 2,231 | 2,868 | 137 | 500 |" in lines
