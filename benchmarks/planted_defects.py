"""Claim: each detector finds what was planted for it, and little else.

Recall and precision per detector, on defects planted into the embedded sample and into random
words of it. Detectors that report no finding but a figure per responder have found a defect if its
responder's figure is the worst.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness import Measurement
from benchmarks.planting.copies import plant_copies, plant_leakage_against, plant_paraphrases
from benchmarks.planting.corpus import Planted, Row, score
from benchmarks.planting.labels import plant_label_conflicts, plant_label_noise, plant_raters
from benchmarks.planting.pairs import confounded_pairs, plant_pairs
from benchmarks.planting.tables import plant_tables
from benchmarks.planting.texts import plant_defects, plant_lengths
from pipeline.audit.building import read_table
from pipeline.audit.detectors import BUILT_IN
from pipeline.audit.finding import Finding
from pipeline.audit.result import AuditResult
from pipeline.audit.run import run_audit
from pipeline.audit.settings import AuditSettings
from pipeline.features.embeddings import CachedEmbedder, MiniLm

OTHER = "other.jsonl"
Embed = Callable[[Sequence[str]], Any]
Scores = list[tuple[str, float, float, int]]


def run() -> list[Measurement]:
    """Measure recall and precision of every detector that a planted defect can reach."""
    measured = []
    with tempfile.TemporaryDirectory() as scratch:
        embedder = CachedEmbedder(MiniLm(), Path(scratch) / "embeddings.sqlite")
        embedded = [
            (f"{detector} with MiniLM", recall, precision, planted)
            for detector, recall, precision, planted in paraphrase_scores(embedder.embed)
        ]
    for detector, recall, precision, planted in [*scores(), *embedded]:
        for name, value in (("recall", recall), ("precision", precision)):
            claim = f"planted_defects {detector} {name}"
            measured.append(Measurement(claim, value, "share", rows=planted))
    return measured


def scores() -> Scores:
    """Return (detector, recall, precision, defects planted) of all detectors."""
    return list(score((planted, names_of(audit_planted(planted))) for planted in corpora()))


def paraphrase_scores(embed: Embed) -> Scores:
    """Return the scores of replies said in other words, found by the vectors of `embed`."""
    planted = plant_paraphrases()
    return list(score([(planted, names_of(audit_planted(planted, embed)))]))


def corpora() -> Iterator[Planted]:
    """Yield every corpus with defects, and the clean ones among them."""
    yield plant_defects()
    yield plant_lengths()
    yield plant_copies()
    yield plant_paraphrases()
    yield plant_leakage_against()
    yield plant_label_conflicts()
    yield plant_label_noise()
    yield plant_raters()
    yield plant_pairs()
    yield from confounded_pairs()
    yield from plant_tables()


def audit_planted(planted: Planted, embed: Embed | None = None) -> AuditResult:
    """Write the corpus as JSON Lines, read it as a stranger's file would be, and audit it."""
    with tempfile.TemporaryDirectory() as scratch:
        path = _written(planted.rows, Path(scratch) / "planted.jsonl")
        other = _written(planted.against, Path(scratch) / OTHER)
        table = read_table(path, against=other if planted.against else None)
    wanted = {name: BUILT_IN[name] for name in BUILT_IN if name in planted.at}
    return run_audit(replace(table, embed=embed), AuditSettings(), detectors=wanted)


def _written(rows: list[Row], path: Path) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def names_of(result: AuditResult) -> dict[str, set[str]]:
    """Return per detector what it named: rows, else the responder and the evidence."""
    named: dict[str, set[str]] = defaultdict(set)
    for finding in result.findings:
        named[finding.detector] |= _names(finding)
    for run in result.runs:
        if run.detector == "lexical_diversity":
            figures: Any = run.figures["by_responder"]
            named[run.detector].add(min(figures, key=lambda who: figures[who]["distinct_2"]))
        elif run.detector == "readability":
            ease: Any = run.figures["flesch_reading_ease"]
            named[run.detector].add(min(ease, key=lambda who: ease[who]["mean"]))
    return named


def _names(finding: Finding) -> set[str]:
    """Return the planted rows that a finding names, else its first row."""
    rows = {row for row in finding.row_ids if not row.startswith(("clean-", OTHER))}
    if finding.row_ids:
        return rows or {finding.row_ids[0]}
    return {" ".join(filter(None, (finding.responder, finding.evidence))) or "table"}
