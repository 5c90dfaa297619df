"""Claim: validating all corpora of a build in one process takes under half of one process each.

Importing Great Expectations costs seconds, and tables that corpora share are checked once. The
build is the repository's own; rival: a process per corpus, which checks that corpus alone with the
tables that it shares.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Measurement, Skipped, in_process, peak_mib


def run() -> list[Measurement]:
    """Validate the build once in one process and once in a process per corpus."""
    if not (ROOT / "datasets" / "splits.parquet").is_file():
        raise Skipped("no build here: make repro first")
    from pipeline.params import load_params

    corpora = list(load_params(ROOT / "params.yaml").corpora)
    started = time.perf_counter()
    done: dict[str, Any] = in_process("benchmarks.validation", "validate", json.dumps(corpora))
    together = time.perf_counter() - started
    started = time.perf_counter()
    for corpus in corpora:
        in_process("benchmarks.validation", "validate", json.dumps([corpus]))
    apart = time.perf_counter() - started
    return [
        Measurement(
            "validation",
            together,
            "s",
            rival="a process per corpus",
            ratio=together / apart,
            rows=done["rows"],
            peak_mib=done["peak_mib"],
        )
    ]


def validate(corpora: str) -> dict[str, float]:
    """Validate the named corpora (a JSON list) of the repository's build."""
    from pipeline.params import load_params
    from pipeline.validation.drift import Accepted
    from pipeline.validation.run import validate_build
    from pipeline.validation.tables import BuildPaths

    params = load_params(ROOT / "params.yaml").expect
    datasets: Path = ROOT / "datasets"
    build = BuildPaths(
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses",
        splits=datasets / "splits.parquet",
        sft=datasets / "sft",
        preferences=datasets / "preferences",
    )
    reports = validate_build(
        build,
        json.loads(corpora),
        bounds=params,
        tolerances=params.tolerances,
        accepted=Accepted(),
    )
    return {"rows": sum(report.rows for report in reports), "peak_mib": peak_mib()}
