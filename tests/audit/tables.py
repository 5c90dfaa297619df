"""Small audited tables for the tests of single detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.audit.detector import Detect
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditPair, AuditTable, Text


def text(words: str, row: int = 0, **more: Any) -> Text:
    """Return one reply."""
    return Text(row_id=str(row), text=words, column="response", **more)


def replies(*words: str, **more: Any) -> list[Text]:
    """Return one reply per text, with rows numbered from 0."""
    return [text(one, row, **more) for row, one in enumerate(words)]


def table(texts: Sequence[Text] = (), pairs: Sequence[AuditPair] = (), **more: Any) -> AuditTable:
    """Return a table of `texts` and `pairs`."""
    return AuditTable(name="table", rows=len(texts) or len(pairs), texts=texts, pairs=pairs, **more)


def detect(detector: Detect, texts: Sequence[Text] = (), **settings: Any) -> Detection:
    """Run one detector over `texts`."""
    return detector(table(texts), AuditSettings(**settings))


def rows(detection: Detection) -> list[str]:
    """Return the affected row of each finding."""
    return [finding.row_ids[0] for finding in detection.findings]
