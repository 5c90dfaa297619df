from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import AuditResult, Detection
from pipeline.audit.run import apply_waivers, read_result, run_audit, write_result
from pipeline.audit.settings import AuditSettings, Waiver
from pipeline.audit.table import AuditTable
from pipeline.errors import PipelineError
from pipeline.storage import read_json, read_table
from tests.audit.tables import replies, table

BAD = Finding(
    detector="bad",
    severity=Severity.CRITICAL,
    row_ids=("7",),
    explanation="It is bad.",
    action="Mend it.",
)
TODAY = date(2026, 11, 1)


def finds(_table: AuditTable, _settings: AuditSettings) -> Detection:
    return Detection([BAD], {"n": 1}, 1)


def breaks(_table: AuditTable, _settings: AuditSettings) -> Detection:
    raise ZeroDivisionError("no rows")


def skips(_table: AuditTable, _settings: AuditSettings) -> Detection:
    raise SkippedError("no ratings")


def audit(**settings: object) -> AuditResult:
    detectors = {
        "breaks": Detector("family", breaks),
        "skips": Detector("family", skips),
        "bad": Detector("family", finds),
    }
    return run_audit(
        table(replies("I hear you.")), AuditSettings.model_validate(settings), detectors=detectors
    )


def waiver(**more: object) -> Waiver:
    fields = {"detector": "bad", "reason": "known", "author": "team", "expires": "2026-12-01"}
    return Waiver.model_validate({**fields, **more})


def test_a_detector_that_breaks_is_reported_and_does_not_stop_the_others() -> None:
    result = audit()

    assert [(run.detector, run.status) for run in result.runs] == [
        ("breaks", "failed"),
        ("skips", "skipped"),
        ("bad", "ok"),
    ]
    assert result.runs[0].why == "ZeroDivisionError: no rows"
    assert result.findings == [BAD]


def test_a_finding_gets_the_name_of_the_detector_that_ran() -> None:
    unnamed = Finding.model_validate(BAD.model_dump(exclude={"detector"}))
    detectors = {"new": Detector("family", lambda _table, _settings: Detection([unnamed]))}

    result = run_audit(table(replies("Hm.")), AuditSettings(), detectors=detectors)

    assert [finding.detector for finding in result.findings] == ["new"]


def test_a_finding_under_another_name_fails_its_detector_and_is_not_kept() -> None:
    detectors = {"new": Detector("family", finds)}

    result = run_audit(table(replies("Hm.")), AuditSettings(), detectors=detectors)

    assert result.findings == []
    assert result.failed[0].why == (
        "ValueError: a finding under the name of another detector, 'bad'"
    )


def test_a_finding_under_no_name_is_refused_where_one_is_read() -> None:
    with pytest.raises(ValueError, match="detector"):
        Finding.model_validate(BAD.model_dump() | {"detector": ""})


def test_params_can_set_another_severity() -> None:
    assert audit(severities={"bad": "info"}).findings[0].severity is Severity.INFO


def test_a_severity_of_no_detector_is_an_error() -> None:
    with pytest.raises(PipelineError, match="no detector bda"):
        audit(severities={"bda": "info"})


def test_a_waiver_covers_its_row_and_no_other() -> None:
    waived = apply_waivers({"source": audit()}, [waiver(row_id="7")], today=TODAY)

    assert waived["source"].open_findings == []
    with pytest.raises(PipelineError, match="covers no critical finding"):
        apply_waivers({"source": audit()}, [waiver(row_id="8")], today=TODAY)


def test_a_waiver_for_another_table_covers_nothing() -> None:
    with pytest.raises(PipelineError, match="covers no critical finding"):
        apply_waivers({"source": audit()}, [waiver(table="sft-direct")], today=TODAY)


def test_a_waiver_covers_critical_findings_alone() -> None:
    warned = BAD.model_copy(update={"severity": Severity.WARNING, "row_ids": ("8",)})
    both = replace(audit(), findings=[BAD, warned])

    waived = apply_waivers({"source": both}, [waiver()], today=TODAY)

    assert waived["source"].waived == [BAD]
    with pytest.raises(PipelineError, match="covers no critical finding"):
        apply_waivers({"source": both}, [waiver(row_id="8")], today=TODAY)


def test_a_waiver_that_has_expired_is_an_error() -> None:
    with pytest.raises(PipelineError, match="expired on 2026-10-31"):
        apply_waivers({"source": audit()}, [waiver(expires="2026-10-31")], today=TODAY)


def test_the_same_audit_writes_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_result(audit(), tmp_path / folder)

    for name in ("summary.json", "findings.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_audit_is_read_as_it_was_written_with_its_waivers(tmp_path: Path) -> None:
    result = apply_waivers({"source": audit()}, [waiver(row_id="7")], today=TODAY)["source"]
    write_result(result, tmp_path)

    runs = [replace(run, seconds=0.0) for run in result.runs]
    assert read_result(tmp_path) == replace(result, runs=runs)
    assert read_result(tmp_path).open_findings == []


def test_findings_and_summary_can_be_read_again(tmp_path: Path) -> None:
    write_result(audit(), tmp_path)

    assert list(read_table(tmp_path / "findings.parquet", Finding)) == [BAD]
    summary = read_json(tmp_path / "summary.json")
    assert summary["counts"] == {"info": 0, "warning": 0, "critical": 1}
    assert summary["failed"] == ["breaks"]
