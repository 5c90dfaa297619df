"""A detector: replies in capitals."""

from __future__ import annotations

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Severity
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, text_finding


def shouting(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies that are written in capitals."""
    del settings
    texts = table.listener_texts
    if not texts:
        raise SkippedError("no replies")
    findings = [
        text_finding(
            text,
            Severity.WARNING,
            explanation="The whole reply is in capitals.",
            action="Write it in lower case.",
        )
        for text in texts
        if text.text.isupper()
    ]
    return Detection(findings, {"replies": len(texts)}, len(texts))


SHOUTING = Detector("style", shouting)
