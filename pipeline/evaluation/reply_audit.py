"""What the audit finds in a model's replies, per 100 of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.audit.finding import Severity
from pipeline.audit.records_table import reply_text, utterance_text
from pipeline.audit.run import run_audit
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable
from pipeline.evaluation.classification import EvaluationError
from pipeline.records import Exchange, Response


@dataclass(frozen=True)
class ReplyAudit:
    """Counts of findings about `replies` replies, by severity; `broken` detectors did not run."""

    replies: int
    counts: dict[str, int]
    broken: tuple[str, ...]

    def per_100(self, severity: Severity) -> float:
        """Return the findings of a severity per 100 replies."""
        return 100 * self.counts[severity.value] / self.replies

    def figures(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "replies": self.replies,
            **{f"{one.value}_per_100": round(self.per_100(one), 2) for one in Severity},
            "broken_detectors": list(self.broken),
        }


def audit_replies(
    name: str, pairs: Sequence[tuple[Exchange, Response]], settings: AuditSettings
) -> ReplyAudit:
    """Audit one model's replies. Raises EvaluationError if there is none."""
    if not pairs:
        raise EvaluationError(f"{name}: no reply to audit\nGenerate some: dvc repro generate")
    texts = [reply_text(utterance_text(exchange), response) for exchange, response in pairs]
    result = run_audit(AuditTable(name=name, rows=len(texts), texts=texts), settings)
    about_replies = [finding for finding in result.findings if finding.row_ids]
    counts = {one.value: sum(f.severity is one for f in about_replies) for one in Severity}
    return ReplyAudit(len(texts), counts, tuple(run.detector for run in result.failed))
