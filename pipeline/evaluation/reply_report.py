"""All measures of replies that need no judge, model by model, beside those of the teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.audit.finding import Severity
from pipeline.audit.settings import AuditSettings
from pipeline.evaluation.comparison import corpus_of
from pipeline.evaluation.contests import Replies
from pipeline.evaluation.reply_audit import ReplyAudit, audit_replies
from pipeline.evaluation.text_measures import text_measures
from pipeline.features.coder import BehaviourCoder
from pipeline.records import Exchange, Response

Pairs = list[tuple[Exchange, Response]]


def reply_report(
    exchanges: Sequence[Exchange],
    models: Mapping[str, Replies],
    teachers: Mapping[str, Pairs],
    coder: BehaviourCoder | None,
    settings: AuditSettings,
    *,
    corpora: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return measures by model, audits of each corpus's teacher, and who is worse than theirs.

    `teachers` has what the teachers of a corpus wrote; one that wrote nothing has no check.
    `corpora` says who was trained on what, where the models' names do not.
    """
    trained_on = corpora or {name: corpus_of(name) or "" for name in models}
    figures: dict[str, Any] = {}
    audits: dict[str, ReplyAudit] = {}
    for name, replies in models.items():
        pairs = [(one, replies[one.id]) for one in exchanges if one.id in replies]
        audits[name] = audit_replies(name, pairs, settings)
        figures[name] = {**text_measures(pairs, coder), "audit": audits[name].figures()}
    taught = {
        corpus: audit_replies(f"teacher of {corpus}", pairs, settings)
        for corpus, pairs in teachers.items()
        if pairs
    }
    checks: dict[str, Any] = {}
    for name, audit in audits.items():
        corpus = trained_on.get(name, "")
        if corpus in taught:
            checks[name] = _check(audit, taught[corpus])
    return {
        "models": figures,
        "teachers": {corpus: audit.figures() for corpus, audit in taught.items()},
        "critical_findings_per_100": checks,
    }


def _check(student: ReplyAudit, teacher: ReplyAudit) -> dict[str, Any]:
    mine, theirs = student.per_100(Severity.CRITICAL), teacher.per_100(Severity.CRITICAL)
    return {"student": round(mine, 2), "teacher": round(theirs, 2), "no_worse": mine <= theirs}


def check_lines(figures: Mapping[str, Any]) -> list[str]:
    """Return a sentence per student: critical findings beside those of its teacher."""
    return [
        f"{name}: {check['student']:.1f} critical findings per 100 replies, its teacher "
        f"{check['teacher']:.1f}: {'no worse' if check['no_worse'] else 'WORSE than its teacher'}."
        for name, check in figures["critical_findings_per_100"].items()
    ]
