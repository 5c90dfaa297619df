"""Study `audit`: what the audit finds in public data, and how often it is right.

Figures and ids only: spans of text stay in the findings, which are not kept.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pipeline.audit.building import read_table
from pipeline.audit.finding import Finding
from pipeline.audit.layouts import get_layout
from pipeline.audit.result import AuditResult
from pipeline.audit.run import run_audit
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable
from pipeline.errors import PipelineError
from pipeline.sources.pseudonyms import PUBLISHED

AGAINST = "empathetic_intents/empathetic_dialogues.parquet"
FILES = {
    "welivita2024": "welivita2024/dataset.csv",
    "welivita2023": "welivita2023/dataset_and_ratings.csv",
    "scoring_paper": "scoring_paper/unified_balanced_dataset.csv",
    "annomi": "annomi/annomi_single_annotator.csv",
    "esconv": "esconv/FailedESConv.json",
    "hh_rlhf": "hh_rlhf/harmless-base-first1500.jsonl",
    "pandalm": "pandalm/testset-v1-first600.json",
    "empathetic_dialogues": AGAINST,
    "mi_strategy": "mi_strategy/CC_Augmented.csv",
    "llmbar": "llmbar",
}
JUDGEMENTS = Path(__file__).parent / "audit_judgements.csv"
# Spans of text are no figures.
_TEXTS = {"top_openers"}


def run(data: Path, scratch: Path) -> dict[str, Any]:
    """Audit each public data set; return `findings.json` and `precision.json`."""
    results = {name: audit_source(data, name) for name in FILES}
    table = {name: _figures(result) for name, result in results.items()}
    return {"findings.json": table, "precision.json": precision(results)}


def audit_source(data: Path, name: str) -> AuditResult:
    """Audit one of FILES; the 2,000 rated dialogues also against the corpus they came from."""
    against = data / AGAINST if name == "welivita2024" else None
    table = read_table(
        data / FILES[name], get_layout(name), against=against, name=name, raters=PUBLISHED
    )
    if name == "welivita2024":
        table = with_papers_split(table)
    return run_audit(table, AuditSettings())


def with_papers_split(table: AuditTable) -> AuditTable:
    """Give each text its side of the authors' split: test if under two responses are rated 3."""
    good: dict[str, int] = defaultdict(int)
    for text in table.texts:
        good[text.row_id] += text.rating == 3
    texts = [
        replace(text, split="test" if good[text.row_id] < 2 else "train") for text in table.texts
    ]
    return replace(table, texts=texts)


def _figures(result: AuditResult) -> dict[str, Any]:
    return {
        "rows": result.rows,
        "texts": result.texts,
        "counts": result.counts(),
        "detectors": {
            run.detector: {
                "status": run.status,
                "why": run.why,
                "counts": result.counts(run.detector),
                "rows": len({one.row_ids[0] for one in _of(result, run.detector) if one.row_ids}),
                "figures": {
                    name: figure for name, figure in run.figures.items() if name not in _TEXTS
                },
            }
            for run in result.runs
        },
    }


def _of(result: AuditResult, detector: str) -> list[Finding]:
    return [finding for finding in result.findings if finding.detector == detector]


def is_held_out(finding: Finding) -> bool:
    """Whether the finding is in the half of the dialogues on which nothing was tuned."""
    key = finding.dialogue_id or (finding.row_ids[0] if finding.row_ids else "")
    return blake2b(key.encode(), digest_size=2).digest()[0] % 2 == 1


def key_of(source: str, finding: Finding) -> str:
    """Return the name of a finding in the file of judgements: no text is in it."""
    where = finding.row_ids[0] if finding.row_ids else "-"
    span = blake2b(finding.evidence.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return "|".join((source, finding.detector, where, finding.responder or "-", span))


def precision(results: dict[str, AuditResult]) -> dict[str, Any]:
    """Return per detector how many judged findings of the held-out half are right.

    The file holds the verdicts; docs/audit.md says how they were given. Its column `look` tells
    `fresh` findings from those `seen` before the detector was last changed. Raises PipelineError
    for a judged finding that no run reports any more: then the sample must be drawn again.
    """
    reported = {
        key_of(source, finding)
        for source, result in results.items()
        for finding in result.findings
        if is_held_out(finding)
    }
    verdicts: dict[str, list[bool]] = defaultdict(list)
    fresh: dict[str, list[bool]] = defaultdict(list)
    with JUDGEMENTS.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["finding"] not in reported:
                raise PipelineError(
                    f"{JUDGEMENTS.name}: {row['finding']} is not reported any more\n"
                    "Draw the sample again and judge it: the detector has changed."
                )
            detector, right = row["finding"].split("|")[1], row["right"] == "yes"
            verdicts[detector].append(right)
            if row["look"] == "fresh":
                fresh[detector].append(right)
    return {
        detector: {
            "judged": len(right),
            "right": sum(right),
            "precision": round(sum(right) / len(right), 4),
            "fresh": len(fresh[detector]),
            "fresh_right": sum(fresh[detector]),
            "reported_in_this_half": sum(key.split("|")[1] == detector for key in reported),
        }
        for detector, right in sorted(verdicts.items())
    }
