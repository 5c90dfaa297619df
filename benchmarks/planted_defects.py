"""Claim: each detector finds what was planted for it, and little else.

Recall and precision per detector, on defects planted into the embedded sample.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.harness import Measurement
from benchmarks.planting import Planted, plant_copies, plant_defects, score
from pipeline.audit.building import read_table
from pipeline.audit.result import AuditResult
from pipeline.audit.run import run_audit
from pipeline.audit.settings import AuditSettings


def run() -> list[Measurement]:
    """Measure recall and precision of every detector that has a planter."""
    measured = []
    for planted in (plant_defects(), plant_copies()):
        for detector, recall, precision in score(planted, rows_of(audit_planted(planted))):
            for name, value in (("recall", recall), ("precision", precision)):
                claim = f"planted_defects {detector} {name}"
                measured.append(Measurement(claim, value, "share", rows=len(planted.rows)))
    return measured


def audit_planted(planted: Planted) -> AuditResult:
    """Write the corpus as JSON Lines, read it as a stranger's file would be, and audit it."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "planted.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in planted.rows), encoding="utf-8")
        return run_audit(read_table(path), AuditSettings())


def rows_of(result: AuditResult) -> dict[str, set[str]]:
    """Return per detector one row id per finding: a planted one if it names any."""
    rows: dict[str, set[str]] = defaultdict(set)
    for finding in result.findings:
        if finding.row_ids:
            planted = (row for row in finding.row_ids if not row.startswith("clean-"))
            rows[finding.detector].add(next(planted, finding.row_ids[0]))
    return rows
