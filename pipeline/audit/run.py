"""Run all detectors over one table; one that breaks is reported and does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from pipeline.audit.detector import Detector, SkippedError, stamped
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.raw_table import shown
from pipeline.audit.result import AuditResult, DetectorRun, Summary
from pipeline.audit.settings import AuditSettings, Waiver
from pipeline.audit.table import AuditTable
from pipeline.errors import PipelineError, TargetError
from pipeline.extensions import ExtensionError, summary
from pipeline.progress import track
from pipeline.storage import (
    MARKER,
    AtomicFolder,
    read_json_as,
    read_table,
    write_json,
    write_table,
)

FINDINGS, SUMMARY, PAGE = "findings.parquet", "summary.json", "index.html"


def run_audit(
    table: AuditTable,
    settings: AuditSettings,
    *,
    detectors: Mapping[str, Detector] | None = None,
) -> AuditResult:
    """Run `detectors`, all there are unless given, and gather what they say."""
    if detectors is None:
        from pipeline.audit.detectors import all_detectors

        detectors = all_detectors()
    if unknown := sorted(settings.severities.keys() - detectors.keys()):
        raise PipelineError(
            f"audit.severities: no detector {', '.join(unknown)}\n"
            f"There are: {', '.join(sorted(detectors))}"
        )
    table = _bounded(table, settings.max_text_chars)
    runs, findings = [], []
    for name in track(detectors, f"audit {table.name}", total=len(detectors)):
        run, found = _run_one(name, detectors[name], table, settings)
        runs.append(run)
        findings += found
    return AuditResult(
        name=table.name,
        rows=table.rows,
        texts=len(table.texts),
        columns=dict(table.columns),
        columns_guessed=table.columns_guessed,
        notes=list(table.notes),
        runs=runs,
        findings=findings,
    )


def _run_one(
    name: str, detector: Detector, table: AuditTable, settings: AuditSettings
) -> tuple[DetectorRun, list[Finding]]:
    begun = time.perf_counter()
    try:
        detection = stamped(name, detector.detect(table, settings))
    except SkippedError as skip:
        return DetectorRun(name, detector.family, "skipped", why=str(skip)), []
    except Exception as error:  # noqa: BLE001 - the promise of the runner: no detector stops another
        why = " ".join(str(error).split()) if isinstance(error, ExtensionError) else summary(error)
        seconds = time.perf_counter() - begun
        return DetectorRun(name, detector.family, "failed", seconds=seconds, why=why), []
    findings = detection.findings
    if wanted := settings.severities.get(name):
        findings = [finding.model_copy(update={"severity": wanted}) for finding in findings]
    run = DetectorRun(
        name,
        detector.family,
        "ok",
        rows_checked=detection.rows_checked,
        seconds=time.perf_counter() - begun,
        figures=detection.figures,
    )
    return run, findings


def _bounded(table: AuditTable, max_chars: int) -> AuditTable:
    """Cut very long texts: a pattern's cost can grow with the square of the length."""
    long = sum(len(text.text) > max_chars for text in table.texts)
    if not long:
        return table
    texts = [
        replace(
            text,
            text=text.text[:max_chars],
            prompt=text.prompt and text.prompt[:max_chars],
            history=text.history[-max_chars:],
        )
        for text in table.texts
    ]
    note = f"{long} texts are longer than {max_chars:,} characters: only their start was checked"
    return replace(table, texts=texts, notes=[*table.notes, note])


def apply_waivers(
    results: Mapping[str, AuditResult], waivers: Sequence[Waiver], *, today: date
) -> dict[str, AuditResult]:
    """Mark the critical findings that `waivers` cover in each named result.

    Raises PipelineError for a waiver that has expired or covers none in any result.
    """
    waived: dict[str, list[Finding]] = {name: [] for name in results}
    for waiver in waivers:
        if waiver.expires < today:
            raise PipelineError(
                f"audit.waivers: the one for {waiver.detector} by {waiver.author} expired on "
                f"{waiver.expires}\nMend the defect, or renew the waiver with a reason."
            )
        covered = 0
        for name, result in results.items():
            found = [one for one in critical(result.findings) if _covers(waiver, name, one)]
            waived[name] += [one for one in found if all(one is not old for old in waived[name])]
            covered += len(found)
        if not covered:
            raise PipelineError(
                f"audit.waivers: the one for {waiver.detector} by {waiver.author} covers no "
                "critical finding\nThe defect is gone, or its name or row id is wrong: remove or "
                "correct it."
            )
    return {name: replace(result, waived=waived[name]) for name, result in results.items()}


def _covers(waiver: Waiver, table: str, finding: Finding) -> bool:
    return (
        waiver.detector == finding.detector
        and waiver.table in (None, table)
        and (waiver.row_id is None or waiver.row_id in finding.row_ids)
    )


def critical(findings: Iterable[Finding]) -> list[Finding]:
    """Return the critical ones."""
    return [finding for finding in findings if finding.severity is Severity.CRITICAL]


def write_result(result: AuditResult, folder: Path) -> None:
    """Write `findings.parquet` and `summary.json` to `folder`."""
    write_table(folder / FINDINGS, Finding, result.findings)
    write_json(folder / SUMMARY, result.summary())


def read_result(folder: Path) -> AuditResult:
    """Read what `write_result` wrote; how long a detector took is not kept."""
    summary = read_json_as(folder / SUMMARY, Summary)
    return summary.result(list(read_table(folder / FINDINGS, Finding)))


def audit_folder(folder: Path) -> AtomicFolder:
    """Return `folder` as one that is there whole or as it was; only an audit is replaced.

    Raises TargetError for a path that no Parquet file can be written under.
    """
    check_encodable(folder)
    return AtomicFolder(folder, what="audit", known=is_audit)


def check_encodable(folder: Path) -> None:
    """Raise TargetError for a folder whose path is not UTF-8: Parquet is written to no such one."""
    path = folder.absolute()
    if shown(path) != str(path):
        raise TargetError(
            path, "the path is not UTF-8", hint="Choose another --out, whose whole path is."
        )


def is_audit(folder: Path) -> bool:
    """Return whether `folder` holds an audit with its page, and nothing else."""
    return {path.name for path in folder.iterdir()} - {MARKER} == {FINDINGS, SUMMARY, PAGE}
