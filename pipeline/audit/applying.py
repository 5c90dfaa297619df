"""A cleaned copy of an audited file: rows that findings name are left out, the rest stays as is.

Nothing is changed in place. What was left out is written beside the copy, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.audit.building import row_ids
from pipeline.audit.copying import check_kind, copy_rows
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.raw_table import RawTable
from pipeline.audit.reading import read_raw
from pipeline.audit.run import check_encodable
from pipeline.errors import PipelineError, TableError
from pipeline.records import Rejection
from pipeline.storage import AtomicFolder, read_json_as, read_table, write_table

STAGE = "audit_apply"
REJECTIONS = "rejections.parquet"
# A person decides on these; a rule on severities leaves them alone.
FOR_PEOPLE = frozenset({"crisis"})
REREAD = "Audit the file again and give that folder."


@dataclass(frozen=True)
class Rule:
    """Which findings are meant: by detector, severity or row; what is None may be anything."""

    detector: str | None = None
    severity: Severity | None = None
    row_id: str | None = None

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read `DETECTOR`, `DETECTOR:SEVERITY`, `severity=SEVERITY` or `row=ID`.

        Raises PipelineError if `text` is none of them.
        """
        if text.startswith("row="):
            return cls(row_id=text.removeprefix("row="))
        detector, _, severity = text.rpartition(":") if ":" in text else (text, "", "")
        if text.startswith("severity="):
            detector, severity = "", text.removeprefix("severity=")
        known = [one.value for one in Severity]
        if severity and severity not in known:
            raise PipelineError(f"rule {text!r}: no severity {severity!r}\nUse {', '.join(known)}.")
        if not (detector or severity):
            raise PipelineError(
                f"rule {text!r} names nothing\n"
                "Write DETECTOR, DETECTOR:SEVERITY, severity=SEVERITY or row=ID."
            )
        return cls(detector=detector or None, severity=Severity(severity) if severity else None)

    def covers(self, finding: Finding) -> bool:
        """Return whether `finding` is meant."""
        if self.row_id is not None:
            return finding.row_ids[:1] == (self.row_id,)
        if self.detector is None and finding.detector in FOR_PEOPLE:
            return False
        return self.detector in (None, finding.detector) and (
            self.severity in (None, finding.severity)
        )


@dataclass(frozen=True)
class Applied:
    """What became of a file: `kept` and `dropped` rows, and where the copy is."""

    copy: Path
    rejections: Path
    kept: int
    dropped: int


def apply_findings(
    file: Path, audit: Path, out: Path, *, drop: Sequence[Rule], keep: Sequence[Rule] = ()
) -> Applied:
    """Write to `out` a copy of `file` without the rows that `drop` covers and `keep` does not.

    `audit` is the folder of the file's audit. Of a wide row, with several replies, one bad reply
    takes out the row. Raises TableError where file and audit do not fit together.
    """
    if not drop:
        raise PipelineError("nothing to do: no rule says what to drop\nGive --drop DETECTOR.")
    copy = out / file.name
    if copy.resolve() == file.resolve():
        raise PipelineError(f"{copy}: is the file itself\nGive --out another folder.")
    if file.is_dir() and out.resolve().is_relative_to(file.resolve()):
        raise PipelineError(f"{out}: within the folder that is read\nGive --out another folder.")
    check_encodable(out)
    check_kind(file)
    raw = read_raw(file)
    ids = _ids(file, audit, raw)
    reasons = _reasons(audit, drop, keep)
    if unknown := sorted(reasons.keys() - set(ids)):
        raise TableError(file, f"has no row {unknown[0]}, which the audit names", hint=REREAD)
    dropped = {position for position, name in enumerate(ids) if name in reasons}
    with AtomicFolder(out, what=f"cleaned copy of {file.name}") as folder:
        written = copy_rows(file, folder / file.name, dropped)
        if written != raw.rows - len(dropped):
            raise TableError(file, "some of its rows cannot be read", hint="Mend the file first.")
        rejections = (_rejection(name, reasons[name]) for name in ids if name in reasons)
        write_table(folder / REJECTIONS, Rejection, rejections)
    return Applied(copy=copy, rejections=out / REJECTIONS, kept=written, dropped=len(dropped))


def _ids(file: Path, audit: Path, raw: RawTable) -> list[str]:
    summary = _summary(audit)
    named = {role: summary.columns.get(role) for role in ("id", "dialogue")}
    lost = [name for name in named.values() if name is not None and name not in raw.columns]
    if lost or summary.rows != raw.rows:
        problem = f"has no column {lost[0]}" if lost else f"has {raw.rows} rows"
        raise TableError(
            file, f"{problem}; the audit was of {summary.rows} rows of another file", hint=REREAD
        )
    return row_ids(raw, id_column=named["id"], dialogue_column=named["dialogue"])[0]


class _Summary(BaseModel):
    """What is needed of the summary of an audit."""

    rows: int
    columns: dict[str, str]
    detectors: dict[str, Any]


def _summary(audit: Path) -> _Summary:
    return read_json_as(audit / "summary.json", _Summary, hint="Audit the file again.")


def _reasons(audit: Path, drop: Sequence[Rule], keep: Sequence[Rule]) -> dict[str, list[Finding]]:
    """Return the findings that drop each row; a row that `keep` covers is in none of them."""
    findings = [one for one in read_table(audit / "findings.parquet", Finding) if one.row_ids]
    detectors = set(_summary(audit).detectors)
    for rule in (*drop, *keep):
        if rule.detector is not None and rule.detector not in detectors:
            known = ", ".join(sorted(detectors))
            raise PipelineError(f"rule {rule.detector!r}: no such detector\nThere are: {known}")
    kept = {one.row_ids[0] for one in findings if any(rule.covers(one) for rule in keep)}
    reasons: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.row_ids[0] not in kept and any(rule.covers(finding) for rule in drop):
            reasons.setdefault(finding.row_ids[0], []).append(finding)
    return reasons


def _rejection(row_id: str, findings: list[Finding]) -> Rejection:
    others = sorted({one.detector for one in findings} - {findings[0].detector})
    also = f" Also: {', '.join(others)}." if others else ""
    return Rejection(
        record_id=row_id,
        stage=STAGE,
        reason=findings[0].detector,
        detail=f"{findings[0].explanation}{also}",
        parents=findings[0].row_ids[1:],
    )
