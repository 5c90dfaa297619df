"""A model's raw text, before anyone has read it."""

from __future__ import annotations

from pipeline.records.base import NonBlank, Record
from pipeline.records.lineage import Lineage


class Completion(Record):
    """What a teacher wrote for the exchange `exchange_id`; the stage `parse` makes one a Response.

    `improves` is the id of the response that it should better, None for a first response.
    """

    id: NonBlank
    exchange_id: NonBlank
    improves: str | None = None
    text: NonBlank
    lineage: Lineage
