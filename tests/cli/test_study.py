"""`distillery study`: figures, with how they were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.study import describe_machine
from pipeline.storage import read_json
from pipeline.studies import STUDIES
from tests.cli.command import Cli


def _figures(data: Path, scratch: Path) -> dict[str, Any]:
    assert scratch.is_dir()
    return {"figures.json": {"rows": len(list(data.iterdir()))}}


def test_the_studies_are_listed(cli: Cli) -> None:
    code, out, _ = cli("study")

    assert (code, out.split()) == (0, list(STUDIES))


def test_figures_are_left_with_how_they_were_made(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STUDIES, "counting", _figures)
    (project / "data").mkdir()
    (project / "data" / "one").touch()

    code, _, _ = cli("study", "counting", "--data", "data", "--out", "studies")

    run = read_json(project / "studies" / "counting" / "run.json")
    assert code == 0
    assert read_json(project / "studies" / "counting" / "figures.json") == {"rows": 1}
    assert run["command"] == "distillery study counting --data DIR"
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
    project: Path, cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    code, _, err = cli("study", *arguments)

    assert code == 2
    assert said in err


def test_the_machine_is_described_without_its_name() -> None:
    import socket

    described = describe_machine()

    assert described["cores"] >= 1
    assert socket.gethostname() not in str(described)
