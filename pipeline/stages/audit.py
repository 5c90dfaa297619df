"""Stage `audit`: what is wrong with the source and with every corpus, before training reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pipeline.audit.finding import Severity
from pipeline.audit.records_table import Origins, preference_table, sft_table, source_table
from pipeline.audit.result import AuditResult, Figures
from pipeline.audit.run import apply_waivers, critical, run_audit, write_result
from pipeline.audit.settings import AuditSettings, Waiver
from pipeline.audit.table import AuditTable
from pipeline.declare import Folder, In, Metrics, Out, Param, Stage
from pipeline.errors import GateFailedError
from pipeline.features.embeddings import CACHE, CachedEmbedder, MiniLm
from pipeline.prompts import prompt_texts
from pipeline.records import Exchange, SplitAssignment
from pipeline.storage import AtomicFolder, write_json


class AuditParams(AuditSettings):
    """Section `audit` of params.yaml: thresholds, severities and waivers.

    `embeddings` tells replies that mean the same: by their words (`words`), or by MiniLM's vectors,
    103 texts a second, kept for the next build.
    """

    embeddings: Literal["words", "minilm"] = "words"
    waivers: tuple[Waiver, ...] = ()


DAG = Stage(command="audit build")


def run(
    params: AuditParams,
    *,
    reference_responder: Annotated[str, Param("responders.reference_responder")],
    exchanges: In[Exchange],
    responses: In[Folder],
    splits: In[SplitAssignment],
    sft: In[Folder],
    preferences: In[Folder],
    out: Out[Folder],
    metrics: Metrics,
    embeddings: Path = CACHE,
    today: date | None = None,
) -> None:
    """Audit the source, each corpus of `sft`, and each of `preferences`, strict and authors'.

    Everything is written before the gate speaks. Raises GateFailedError for a critical finding
    without a waiver and for a detector that broke. `reference_responder` counts as a person.
    """
    origins = Origins(exchanges, sorted(responses.glob("*.parquet")), splits)
    results: dict[str, AuditResult] = {}
    minilm = CachedEmbedder(MiniLm(), embeddings)
    embed = minilm.embed if params.embeddings == "minilm" else None
    for table in _tables(origins, sft, preferences):
        settings = _settings(params, table.name, reference_responder)
        results[table.name] = run_audit(replace(table, embed=embed), settings)
    results = apply_waivers(results, params.waivers, today=today or datetime.now(UTC).date())
    with AtomicFolder(out, what="audits") as folder:
        for name, result in results.items():
            write_result(result, folder / name)
    write_json(metrics, {name: _counts(result) for name, result in results.items()})
    check(results)


def _tables(origins: Origins, sft: Path, preferences: Path) -> Iterator[AuditTable]:
    yield source_table(origins, "source")
    for path in sorted(sft.glob("*.parquet")):
        yield sft_table(origins, path, f"sft-{path.stem}")
    for path in sorted(preferences.glob("*/*.parquet")):
        yield preference_table(origins, path, f"preferences-{path.parent.name}-{path.stem}")


def _settings(params: AuditParams, name: str, reference_responder: str) -> AuditSettings:
    """Return the settings for one table: the authors' filter lets ties and inversions in.

    What our own prompts say is looked for in replies, too.
    """
    people = (*params.human_responders, reference_responder)
    settings = AuditSettings.model_validate(
        {
            **params.model_dump(exclude={"waivers", "embeddings"}),
            "human_responders": people,
            "prompt_texts": (*params.prompt_texts, *prompt_texts()),
        }
    )
    if not name.startswith("preferences-authors"):
        return settings
    known = {"pair_ties": Severity.INFO, "pair_inversions": Severity.INFO}
    return settings.model_copy(update={"severities": {**known, **settings.severities}})


def _counts(result: AuditResult) -> Figures:
    return {
        "rows": result.rows,
        **result.counts(),
        "waived": len(result.waived),
        "failed_detectors": [run.detector for run in result.failed],
    }


def check(results: dict[str, AuditResult]) -> None:
    """Raise GateFailedError if anything critical is open or a detector has failed."""
    problems = []
    for name, result in results.items():
        problems += [f"{name}: detector {run.detector} failed: {run.why}" for run in result.failed]
        found = critical(result.open_findings)
        for detector in sorted({finding.detector for finding in found}):
            rows = [finding for finding in found if finding.detector == detector]
            first = rows[0].row_ids[0] if rows[0].row_ids else rows[0].evidence
            problems.append(
                f"{name}: {len(rows)} critical of {detector}, first {first}: {rows[0].explanation}"
            )
    if problems:
        raise GateFailedError(
            "the audit found what must not be trained on:\n"
            + "\n".join(f"  {problem}" for problem in problems)
            + "\nMend the data, or waive a finding under `audit.waivers` in params.yaml with a "
            "reason, an author and a date."
        )
