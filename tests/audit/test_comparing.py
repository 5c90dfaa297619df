from pathlib import Path

import pytest

from pipeline.audit.comparing import Change, compare
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import AuditResult, DetectorRun, Status
from pipeline.audit.run import write_result
from pipeline.errors import MissingFileError


def finding(row: str, severity: Severity = Severity.WARNING, detector: str = "refusals") -> Finding:
    return Finding(
        detector=detector, severity=severity, row_ids=(row,), explanation="why", action="drop"
    )


def audit(folder: Path, *findings: Finding, status: Status = "ok") -> Path:
    result = AuditResult(
        name="made",
        rows=9,
        texts=9,
        columns={},
        columns_guessed=False,
        notes=[],
        runs=[DetectorRun("refusals", "teacher artefacts", status)],
        findings=list(findings),
    )
    write_result(result, folder)
    return folder


def change(tmp_path: Path, old: list[Finding], new: list[Finding]) -> Change:
    return compare(audit(tmp_path / "old", *old), audit(tmp_path / "new", *new))[0]


def test_an_audit_is_the_same_as_itself(tmp_path: Path) -> None:
    assert change(tmp_path, [finding("a")], [finding("a")]).verdict == "same"


def test_fewer_findings_are_better_and_the_gone_are_named(tmp_path: Path) -> None:
    found = change(tmp_path, [finding("a"), finding("b")], [finding("b")])

    assert found.verdict == "better"
    assert found.as_dict()["gone"] == [["a"]]


def test_one_critical_finding_outweighs_many_warnings_that_went(tmp_path: Path) -> None:
    old = [finding("a"), finding("b"), finding("c")]

    assert change(tmp_path, old, [finding("d", Severity.CRITICAL)]).verdict == "worse"


def test_as_many_findings_on_other_rows_are_a_change(tmp_path: Path) -> None:
    found = change(tmp_path, [finding("a")], [finding("b")])

    assert (found.verdict, len(found.gone), len(found.came)) == ("changed", 1, 1)


def test_a_detector_that_broke_is_not_called_better(tmp_path: Path) -> None:
    old, new = audit(tmp_path / "old", finding("a")), audit(tmp_path / "new", status="failed")

    found = compare(old, new)[0]

    assert found.verdict == "not compared"
    assert found.why == "ok in the old audit, failed in the new one"


def test_a_folder_without_an_audit_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"summary\.json: no such file"):
        compare(tmp_path, tmp_path)
