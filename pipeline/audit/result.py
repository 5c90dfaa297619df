"""What an audit hands back: findings, and per detector whether it ran."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

from pipeline.audit.finding import Finding, Severity

Figure: TypeAlias = (
    "str | int | float | bool | list[str] | list[float] | dict[str, Figure] | list[Figure] | None"
)
Figures: TypeAlias = dict[str, Figure]
Status = Literal["ok", "skipped", "failed"]


@dataclass(frozen=True)
class Detection:
    """The findings of one detector and what it measured beside them."""

    findings: list[Finding] = field(default_factory=list)
    figures: Figures = field(default_factory=dict)
    rows_checked: int = 0


@dataclass(frozen=True)
class DetectorRun:
    """How one detector fared; `why` says why it was skipped or how it failed."""

    detector: str
    family: str
    status: Status
    rows_checked: int = 0
    seconds: float = 0.0
    why: str = ""
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class AuditResult:
    """One audit: `runs` in the order of the detectors, `findings` in that order too.

    `columns` says which column was taken for which role, `notes` what could not be read.
    `waived` are critical findings that a waiver lets pass: they stay in `findings` as well.
    """

    name: str
    rows: int
    texts: int
    columns: dict[str, str]
    columns_guessed: bool
    notes: list[str]
    runs: list[DetectorRun]
    findings: list[Finding]
    waived: list[Finding] = field(default_factory=list)

    def counts(self, detector: str | None = None) -> dict[str, int]:
        """Return the number of findings by severity, of one detector or of all."""
        found = Counter(
            finding.severity
            for finding in self.findings
            if detector is None or finding.detector == detector
        )
        return {severity.value: found[severity] for severity in Severity}

    @property
    def open_findings(self) -> list[Finding]:
        """Findings that no waiver covers."""
        waived = set(map(id, self.waived))
        return [finding for finding in self.findings if id(finding) not in waived]

    @property
    def failed(self) -> list[DetectorRun]:
        """Detectors that broke: what they look for is unknown, not absent."""
        return [run for run in self.runs if run.status == "failed"]

    def summary(self, *, seconds: bool = False) -> Figures:
        """Return what `summary.json` holds; the same input gives the same bytes.

        With `seconds`, each detector also says how long it took. `waived_findings` are positions in
        the table of findings.
        """
        detectors: dict[str, Figure] = {}
        waived = set(map(id, self.waived))
        positions: list[Figure] = [
            position for position, finding in enumerate(self.findings) if id(finding) in waived
        ]
        for run in self.runs:
            entry: Figures = {
                "family": run.family,
                "status": run.status,
                "why": run.why,
                "rows_checked": run.rows_checked,
                "counts": dict(self.counts(run.detector)),
                "figures": run.figures,
            }
            if seconds:
                entry["seconds"] = round(run.seconds, 3)
            detectors[run.detector] = entry
        return {
            "name": self.name,
            "rows": self.rows,
            "texts": self.texts,
            "columns": dict(self.columns),
            "columns_guessed": self.columns_guessed,
            "notes": list(self.notes),
            "counts": dict(self.counts()),
            "waived": len(self.waived),
            "waived_findings": positions,
            "failed": [run.detector for run in self.failed],
            "detectors": detectors,
        }


class RunSummary(BaseModel):
    """What a summary says of one detector."""

    family: str
    status: Status
    why: str
    rows_checked: int
    figures: dict[str, Any]


class Summary(BaseModel):
    """What `AuditResult.summary` gives, read again."""

    name: str
    rows: int
    texts: int
    columns: dict[str, str]
    columns_guessed: bool
    notes: list[str]
    waived_findings: list[int]
    detectors: dict[str, RunSummary]

    def result(self, findings: list[Finding]) -> AuditResult:
        """Return the audit whose summary this is."""
        return AuditResult(
            **{name: getattr(self, name) for name in ("name", "rows", "texts", "columns", "notes")},
            columns_guessed=self.columns_guessed,
            runs=[DetectorRun(name, **dict(run)) for name, run in self.detectors.items()],
            findings=findings,
            waived=[findings[position] for position in self.waived_findings],
        )
