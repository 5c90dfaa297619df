"""Claim: a full audit of 10,000 rows takes under 30 s and 600 MiB on two cores.

The 10,000 rated replies of welivita2024, one row each, with prompt, responder, rating and rater;
reading the file is part of it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmarks.harness import Measurement, data_folder, in_process, peak_mib, stopwatch

WHO = ("human", "chatgpt_empathy", "llama_empathy", "gemini_empathy", "mixtral_empathy")
SHARED = ("dialog_id", "emotion", "sentiment", "situation", "speaker_uttr")


def run() -> list[Measurement]:
    """Measure seconds and peak memory of one audit in a process of its own."""
    raw = data_folder() / "welivita2024" / "dataset.csv"
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "replies.parquet"
        rows = write_long(raw, path)
        done = in_process("benchmarks.audit_10k", "audit", str(path))
    return [
        Measurement("audit_10k", done["seconds"], "s", rows=rows, peak_mib=done["peak_mib"]),
    ]


def write_long(raw: Path, path: Path) -> int:
    """Write the wide table with one row per reply; return the number of rows."""
    options = pacsv.ParseOptions(newlines_in_values=True)
    wide = pacsv.read_csv(raw, parse_options=options)
    parts = []
    for who in WHO:
        columns = {name: wide[name] for name in SHARED}
        columns["response"] = wide[f"response_{who}"]
        columns["rating"] = wide[f"rating_{who}"]
        columns["annotator"] = wide[f"annotator_{who}"]
        columns["responder"] = pa.array([who] * wide.num_rows)
        parts.append(pa.table(columns))
    table = pa.concat_tables(parts)
    pq.write_table(table, path)
    return int(table.num_rows)


def audit(path: str, source: str = "") -> dict[str, float]:
    """Audit one file, all detectors; `source` names a known layout."""
    from pipeline.audit.building import read_table
    from pipeline.audit.layouts import get_layout
    from pipeline.audit.run import run_audit
    from pipeline.audit.settings import AuditSettings

    with stopwatch() as seconds:
        table = read_table(Path(path), get_layout(source) if source else None)
        result = run_audit(table, AuditSettings())
    if result.failed:
        raise RuntimeError(f"failed: {result.failed}")
    semantic = next(run for run in result.runs if run.detector == "semantic_duplicates")
    coverage = semantic.figures.get("coverage")
    return {
        "seconds": seconds(),
        "peak_mib": peak_mib(),
        "coverage": coverage if isinstance(coverage, float) else 1.0,
    }
