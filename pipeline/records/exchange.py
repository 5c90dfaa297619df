"""An exchange: what was said to the listener, and in which situation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pipeline.records.base import NonBlank, Record
from pipeline.records.lineage import Lineage, RawLocation

Role = Literal["speaker", "listener"]


class Turn(Record):
    """What one of the two said before the other spoke."""

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

    def transcript(self, *, most_words: int | None = None) -> tuple[Turn, ...]:
        """Return what was said up to and with the utterance, oldest turn first.

        With `most_words` the oldest turns are left out until the rest have so few words; the
        utterance stays, however long it is.
        """
        turns = (*self.history, Turn(role="speaker", text=self.utterance))
        words = 0
        for place in reversed(range(len(turns))):
            words += len(turns[place].text.split())
            if most_words is not None and words > most_words:
                return turns[min(place + 1, len(turns) - 1) :]
        return turns

    def transcript_text(self, *, most_words: int | None = None) -> str:
        """Return the transcript as models read it."""
        return text_of_turns(self.transcript(most_words=most_words))


def text_of_turns(turns: Sequence[Turn]) -> str:
    """Return a line per turn that begins with who says it; the text alone if there is one turn."""
    if len(turns) == 1:
        return turns[0].text
    return "\n".join(f"{turn.role.capitalize()}: {turn.text}" for turn in turns)
