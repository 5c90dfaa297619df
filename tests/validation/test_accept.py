from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import GateFailedError
from pipeline.stages.expect import read_accepted
from pipeline.storage import write_json
from pipeline.validation.accept import accept_build

DRIFTED = {"claim": "about as many rows", "severity": "critical", "is_drift": True}
DEFECT = {"claim": "id is unique", "severity": "critical", "is_drift": False}


def expectations(folder: Path, failure: dict[str, Any]) -> Path:
    path = folder / "expectations.json"
    table = {"failed": [failure], "profile": {"rows": 7, "words": {}, "shares": {}}}
    write_json(path, {"source": "made", "tables": {"exchanges": table}})
    return path


def test_a_difference_can_be_accepted(tmp_path: Path) -> None:
    accept_build(expectations(tmp_path, DRIFTED), tmp_path / "accepted.json")

    assert read_accepted(tmp_path / "accepted.json", "made").tables["exchanges"].rows == 7


def test_the_figures_of_another_source_are_not_compared(tmp_path: Path) -> None:
    accept_build(expectations(tmp_path, DRIFTED), tmp_path / "accepted.json")

    assert read_accepted(tmp_path / "accepted.json", "another").tables == {}


def test_a_defect_cannot_be_accepted(tmp_path: Path) -> None:
    with pytest.raises(GateFailedError, match="exchanges: not true: id is unique"):
        accept_build(expectations(tmp_path, DEFECT), tmp_path / "accepted.json")

    assert not (tmp_path / "accepted.json").exists()
