"""Claim: 132,103 rows under 8 minutes; a row costs at most 1.3 times what it does at 10,000.

All of EmpatheticDialogues and its first 10,000 rows, each audited in a process of its own. Semantic
neighbours are exact at 10,000 and blocked at 132,103: their coverage is measured and given.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.harness import Measurement, data_folder, in_process

SMALL = 10_000


def run() -> list[Measurement]:
    """Measure both, and the ratio of their costs per row."""
    raw = data_folder() / "empathetic_intents" / "empathetic_dialogues.parquet"
    rows = pq.read_metadata(raw).num_rows
    with tempfile.TemporaryDirectory() as scratch:
        first = Path(scratch) / "first.parquet"
        pq.write_table(pq.read_table(raw).slice(0, SMALL), first)
        less = in_process("benchmarks.audit_10k", "audit", str(first), "empathetic_dialogues")
        whole = in_process("benchmarks.audit_10k", "audit", str(raw), "empathetic_dialogues")
    growth = (whole["seconds"] / rows) / (less["seconds"] / SMALL)
    return [
        Measurement("audit_132k", whole["seconds"], "s", rows=rows, peak_mib=whole["peak_mib"]),
        Measurement("audit_132k cost per row over that at 10,000", growth, "ratio", rows=rows),
        Measurement("audit_132k semantic coverage", whole["coverage"], "share", rows=rows),
    ]
