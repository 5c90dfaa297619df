"""Columns that are copies of one another, or that describe another column's text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text
from pipeline.text.sentences import split_sentences


def column_copies(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report pairs of columns that hold the same values in the same rows.

    Columns of under 20 different values (flags, ratings) may agree by chance and are left out; in
    a small table, those with under one different value in five rows.
    """
    # One number per different value, the same in all columns: numbers are compared in no time.
    numbers: dict[Any, int] = {}
    rich = {}
    for name, values in table.raw.items():
        cells = [repr(value) if isinstance(value, list | dict) else value for value in values]
        if len(set(cells)) >= max(2, min(20, table.rows // 5)):
            places = (numbers.setdefault(cell, len(numbers)) for cell in cells)
            rich[name] = np.fromiter(places, dtype=np.int64, count=len(cells))
    if len(rich) < 2:
        raise SkippedError("under two columns with values that differ enough")
    findings: list[Finding] = []
    for left, right in combinations(rich, 2):
        share = int((rich[left] == rich[right]).sum()) / table.rows
        if share < 0.95:
            continue
        findings.append(
            Finding(
                severity=Severity.CRITICAL,
                evidence=f"{left} = {right}",
                excerpt=f"{left} = {right}",
                score=round(share, 4),
                explanation=f"{right!r} repeats {left!r} in {share:.1%} of {table.rows} rows.",
                action=f"Find out whose values they are; drop or derive {right!r} again.",
                cluster=f"columns {left}",
            )
        )
    return Detection(findings, {"columns_compared": len(rich)}, table.rows)


def codes_fit(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report code columns that fit another responder's sentences better than their own.

    One code stands for one sentence, so the number of codes should be that of sentences.
    """
    coded = [text for text in table.listener_texts if text.codes is not None and text.responder]
    if not coded:
        raise SkippedError("no column of codes per sentence beside a named responder")
    by_row: dict[str, dict[str, Text]] = defaultdict(dict)
    for text in table.listener_texts:
        if text.responder:
            by_row[text.dialogue_id or text.row_id][text.responder] = text
    fit: dict[str, Figure] = {}
    findings: list[Finding] = []
    for owner in sorted({str(text.responder) for text in coded}):
        own = [text for text in coded if text.responder == owner]
        shares: dict[str, float] = {}
        for other in table.responders:
            beside = [(text, by_row[text.dialogue_id or text.row_id].get(other)) for text in own]
            judged = [_fits(text.codes or (), reply.text) for text, reply in beside if reply]
            if len(judged) >= 20:
                shares[other] = sum(judged) / len(judged)
        fit[owner] = {name: round(share, 4) for name, share in shares.items()}
        best = max(shares, key=lambda name: shares[name], default=owner)
        if best != owner and shares[best] > shares.get(owner, 0.0) + 0.1:
            findings.append(
                Finding(
                    severity=Severity.CRITICAL,
                    responder=owner,
                    evidence=f"{owner} -> {best}",
                    excerpt=f"{owner} -> {best}",
                    score=round(shares[best] - shares.get(owner, 0.0), 4),
                    explanation=(
                        f"The codes of {owner!r} match the number of sentences of {best!r} in "
                        f"{shares[best]:.1%} of rows, of its own in {shares.get(owner, 0):.1%}."
                    ),
                    action="Code these texts again; do not train on the column.",
                )
            )
    return Detection(findings, {"share_fitting": fit}, len(coded))


def _fits(codes: Sequence[Any], text: str) -> bool:
    return len(codes) == max(1, len(split_sentences(text)))


DETECTORS = {
    "column_copies": Detector("labels", column_copies),
    "codes_fit": Detector("labels", codes_fit),
}
