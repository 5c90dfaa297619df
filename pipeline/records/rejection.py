"""A row that was dropped, and why. Nothing vanishes silently."""

from __future__ import annotations

from pipeline.records.base import NonBlank, Record


class Rejection(Record):
    """One decision not to keep something.

    `record_id` is the id that the dropped row has, or would have had; `reason` is a short stable
    name that is counted; `detail` is for a person.
    """

    record_id: NonBlank
    stage: NonBlank
    reason: NonBlank
    detail: str = ""
    parents: tuple[str, ...] = ()
