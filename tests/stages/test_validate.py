from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import GateFailedError
from pipeline.stages import validate
from pipeline.storage import read_json, write_json


def table(corpus: str | None, *severities: str) -> dict[str, Any]:
    failed = [
        {
            "claim": "id is unique",
            "severity": severity,
            "is_drift": False,
            "unexpected": 2,
            "checked": 9,
            "observed": "",
            "row_ids": ["sft-1", "sft-2"],
        }
        for severity in severities
    ]
    return {"corpus": corpus, "expectations": 10, "failed": failed}


def test_a_corpus_with_a_critical_failure_stops_after_its_verdict_was_written(
    tmp_path: Path,
) -> None:
    write_json(tmp_path / "all.json", {"tables": {"sft/bad": table("bad", "critical")}})
    out = tmp_path / "bad.json"

    with pytest.raises(
        GateFailedError, match="sft/bad: not true: id is unique: 2 of 9 rows, first"
    ):
        validate.run(corpus="bad", expectations=tmp_path / "all.json", out=out)

    assert read_json(out) == {
        "corpus": "bad",
        "passed": False,
        "expectations": 10,
        "failed": {"critical": 1, "warning": 0, "info": 0},
    }


def test_another_corpus_with_warnings_alone_passes(tmp_path: Path) -> None:
    tables = {"sft/bad": table("bad", "critical"), "sft/good": table("good", "warning")}
    write_json(tmp_path / "all.json", {"tables": tables})

    validate.run(corpus="good", expectations=tmp_path / "all.json", out=tmp_path / "good.json")

    assert read_json(tmp_path / "good.json")["passed"] is True


def test_a_defect_of_a_shared_table_stops_every_corpus(tmp_path: Path) -> None:
    write_json(tmp_path / "all.json", {"tables": {"splits": table(None, "critical")}})

    with pytest.raises(GateFailedError, match="splits"):
        validate.run(corpus="any", expectations=tmp_path / "all.json", out=tmp_path / "any.json")
