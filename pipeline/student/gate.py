"""Bad data is not trained on: what validation and audit said about a corpus decides."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from pipeline.errors import GateFailedError, TableError
from pipeline.storage import read_json_as


class _Verdict(BaseModel):
    passed: bool


class _Figures(BaseModel):
    failed_detectors: list[str]
    critical: int
    waived: int


def require_passed(corpus: str, table: str, *, validation: Path, audit: Path) -> None:
    """Raise GateFailedError unless `corpus` passed validation and its `table` the audit."""
    if not read_json_as(validation, _Verdict).passed:
        raise GateFailedError(
            f"{corpus}: validation found critical faults ({validation})\n"
            f"distillery open shows them; then: dvc repro validate@{corpus}"
        )
    figures = read_json_as(audit, dict[str, _Figures]).get(table)
    if figures is None:
        raise TableError(
            audit, f"nothing is said about {table}", hint="Audit it first: dvc repro audit"
        )
    broken, open_findings = figures.failed_detectors, figures.critical - figures.waived
    if broken or open_findings > 0:
        what = f"detectors failed: {', '.join(broken)}" if broken else f"{open_findings} critical"
        raise GateFailedError(
            f"{corpus}: the audit says no to {table} ({what})\n"
            f"distillery open shows it; mend the data, or waive a finding in params.yaml."
        )
