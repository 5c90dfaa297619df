"""Stage `expect`: check every table of the build, in one process, and write what was found.

It never fails for what it finds: `validate@<corpus>` reads its figures and is the gate, so that one
bad corpus does not hold up the others and none pays again for importing the library.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.declare import Folder, In, Json, Metrics, Out
from pipeline.errors import TableError
from pipeline.records import Exchange, SplitAssignment
from pipeline.storage import first_problem, read_json, write_json
from pipeline.validation.drift import Accepted, Tolerances
from pipeline.validation.leftovers import refuse_leftovers
from pipeline.validation.run import BuildReport, Check, TableReport, validate_build
from pipeline.validation.suites import Bounds
from pipeline.validation.tables import BuildPaths


class ExpectParams(Bounds):
    """Section `expect` of params.yaml."""

    tolerances: Tolerances


def run(
    params: ExpectParams,
    *,
    corpora: Collection[str],
    distillations: Collection[str],
    ingest: In[Json],
    accepted: In[Json],
    exchanges: In[Exchange],
    responses: In[Folder],
    splits: In[SplitAssignment],
    sft: In[Folder],
    preferences: In[Folder],
    metrics: Metrics,
    out: Out[Json],
) -> None:
    """Write the figures (ids, no text) to `metrics` and all checks (with text) to `out`."""
    source = read_json(ingest)["source"]
    standard = read_accepted(accepted, source)
    refuse_leftovers(
        {
            responses: {"source", *distillations},
            sft: corpora,
            preferences / "strict": corpora,
            preferences / "authors": corpora,
        }
    )
    build = BuildPaths(exchanges, responses, splits, sft, preferences)
    reports = list(
        validate_build(
            build, corpora, bounds=params, tolerances=params.tolerances, accepted=standard
        )
    )
    compared = bool(standard.tables)
    whole = BuildReport(source, compared, reports)
    write_json(out, TypeAdapter(BuildReport).dump_python(whole, mode="json"))
    tables = {report.name: _figures(report) for report in reports}
    write_json(metrics, {"source": source, "compared": compared, "tables": tables})


def read_accepted(path: Path, source: str) -> Accepted:
    """Return the accepted figures if they are of `source`; another source's say nothing."""
    try:
        accepted = Accepted.model_validate(read_json(path))
    except ValidationError as error:
        raise TableError(
            path, first_problem(error), hint="Write it with: distillery accept"
        ) from error
    return accepted if accepted.source == source else Accepted()


def _figures(report: TableReport) -> dict[str, Any]:
    return {
        "corpus": report.corpus,
        "record": report.record,
        "rows": report.rows,
        "expectations": len(report.checks),
        "failed": [_failure(check) for check in report.checks if not check.passed],
        "profile": report.profile.model_dump() if report.profile else None,
    }


def _failure(check: Check) -> dict[str, Any]:
    return {
        "claim": check.claim,
        "severity": check.severity,
        "is_drift": check.is_drift,
        "unexpected": check.unexpected,
        "checked": check.checked,
        "observed": check.observed,
        "row_ids": list(check.row_ids),
    }
