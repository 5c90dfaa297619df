"""An exchange: what was said to the listener, and in which situation."""

from __future__ import annotations

from typing import Literal

from pipeline.records.base import NonBlank, Record
from pipeline.records.lineage import Lineage, RawLocation

Role = Literal["speaker", "listener"]


class Turn(Record):
    """One turn before the utterance, oldest first."""

    role: Role
    text: NonBlank


class Exchange(Record):
    """A speaker's utterance with its situation and the turns before it.

    `dialogue_id` is the source's own id: exchanges of one dialogue share it. `collection_id`
    names the collection task (HIT) in which the dialogue was gathered, where known.
    """

    id: NonBlank
    dialogue_id: NonBlank
    collection_id: str | None = None
    emotion: str | None = None
    sentiment: str | None = None
    situation: str
    history: tuple[Turn, ...] = ()
    utterance: NonBlank
    raw: RawLocation
    lineage: Lineage
