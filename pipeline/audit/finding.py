"""`Finding`: what a detector reports about one row, or about the table as a whole."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from pipeline.records import NonBlank, Record


class Severity(StrEnum):
    """How much a finding should worry the reader; a critical one stops a build."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Finding(Record):
    """One affected row and why.

    A detector leaves its name out: who runs it writes it in (`detector.stamped`).
    `row_ids` begins with the affected row; others, as the kept row of a duplicate, follow. It is
    empty for a fact about the whole table or one of its columns. `evidence` is the offending
    span, verbatim, and `excerpt` the text around it, so that the span can be highlighted there.
    `score` is what the detector measured, in the unit that `explanation` names. `cluster` joins
    the rows of one group and is None for a row on its own.
    """

    # The default is not validated: a file with a finding under no name is refused.
    detector: NonBlank = ""
    severity: Severity
    row_ids: tuple[str, ...] = ()
    dialogue_id: str | None = None
    responder: str | None = None
    split: str | None = None
    evidence: str = Field(default="", max_length=400)
    excerpt: str = Field(default="", max_length=800)
    score: float | None = Field(default=None, allow_inf_nan=False)
    explanation: NonBlank
    action: NonBlank
    cluster: str | None = None
