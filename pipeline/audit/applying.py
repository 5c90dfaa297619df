"""A cleaned copy of an audited file: rows that findings name are left out, the rest stays as is.

Nothing is changed in place. What was left out is written beside the copy, with the reason.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit.building import row_ids
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.reading import RawTable, read_raw
from pipeline.errors import PipelineError, TableError
from pipeline.records import Rejection
from pipeline.storage import AtomicFile, open_parquet, read_json, read_table, write_table

STAGE = "audit_apply"
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
    rows = _rows_of(file)
    raw = read_raw(file)
    ids = _ids(file, audit, raw)
    reasons = _reasons(audit, drop, keep)
    if unknown := sorted(reasons.keys() - set(ids)):
        raise TableError(file, f"has no row {unknown[0]}, which the audit names", hint=REREAD)
    dropped = {position for position, name in enumerate(ids) if name in reasons}
    written = rows(file, copy, dropped)
    if written != raw.rows - len(dropped):
        copy.unlink()
        raise TableError(file, "some of its rows cannot be read", hint="Mend the file first.")
    rejections = out / "rejections.parquet"
    write_table(
        rejections, Rejection, (_rejection(name, reasons[name]) for name in ids if name in reasons)
    )
    return Applied(copy=copy, rejections=rejections, kept=written, dropped=len(dropped))


def _ids(file: Path, audit: Path, raw: RawTable) -> list[str]:
    summary = read_json(audit / "summary.json")
    columns: dict[str, str] = summary["columns"]
    named = {role: columns.get(role) for role in ("id", "dialogue")}
    lost = [name for name in named.values() if name is not None and name not in raw.columns]
    if lost or summary["rows"] != raw.rows:
        problem = f"has no column {lost[0]}" if lost else f"has {raw.rows} rows"
        raise TableError(
            file, f"{problem}; the audit was of {summary['rows']} rows of another file", hint=REREAD
        )
    return row_ids(raw, id_column=named["id"], dialogue_column=named["dialogue"])[0]


def _reasons(audit: Path, drop: Sequence[Rule], keep: Sequence[Rule]) -> dict[str, list[Finding]]:
    """Return the findings that drop each row; a row that `keep` covers is in none of them."""
    findings = [one for one in read_table(audit / "findings.parquet", Finding) if one.row_ids]
    detectors = set(read_json(audit / "summary.json")["detectors"])
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


def _rows_of(file: Path) -> Any:
    writers = {
        ".csv": _copy_csv,
        ".tsv": _copy_csv,
        ".jsonl": _copy_json_lines,
        ".ndjson": _copy_json_lines,
        ".parquet": _copy_parquet,
    }
    if file.suffix.lower() not in writers:
        raise PipelineError(
            f"{file}: a cleaned copy can be made of {', '.join(writers)}\nConvert it first."
        )
    return writers[file.suffix.lower()]


def _copy_csv(file: Path, copy: Path, dropped: set[int]) -> int:
    """Copy the cells as they are; only the quoting may differ."""
    with file.open("rb") as stream:
        start = stream.read(4096)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    first = start.decode(encoding, "replace").split("\n")[0]
    delimiter = max(",\t;|", key=first.count) if file.suffix.lower() == ".csv" else "\t"
    kept = 0
    with (
        file.open(encoding=encoding, errors="surrogateescape", newline="") as source,
        AtomicFile(copy) as part,
        part.open("w", encoding=encoding, errors="surrogateescape", newline="") as target,
    ):
        rows = csv.reader(source, delimiter=delimiter)
        writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
        writer.writerow(next(rows, []))
        for position, fields in enumerate(row for row in rows if row):
            if position not in dropped:
                writer.writerow(fields)
                kept += 1
    return kept


def _copy_json_lines(file: Path, copy: Path, dropped: set[int]) -> int:
    """Copy the lines byte for byte."""
    kept = 0
    with file.open("rb") as source, AtomicFile(copy) as part, part.open("wb") as target:
        for position, line in enumerate(_objects(source)):
            if position not in dropped:
                target.write(line)
                kept += 1
    return kept


def _objects(lines: Any) -> Iterator[bytes]:
    for line in lines:
        try:
            if line.strip() and isinstance(json.loads(line.decode("utf-8", "replace")), dict):
                yield line
        except (json.JSONDecodeError, RecursionError):
            continue


def _copy_parquet(file: Path, copy: Path, dropped: set[int]) -> int:
    """Copy the rows batch by batch, under the same schema."""
    source = open_parquet(file)
    position = kept = 0
    with (
        AtomicFile(copy) as part,
        pq.ParquetWriter(part, source.schema_arrow, compression="zstd") as target,
    ):
        for batch in source.iter_batches():
            mask = [position + row not in dropped for row in range(batch.num_rows)]
            position += batch.num_rows
            chosen = batch.filter(pa.array(mask))
            target.write_batch(chosen)
            kept += chosen.num_rows
    return kept
