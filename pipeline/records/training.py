"""Rows that a trainer reads, with the columns that TRL 1.16 documents.

`SFTExample.messages` is TRL's conversational language-modelling column; `PreferencePair` has the
explicit conversational prompt that its DPO trainer recommends. Trainers ignore the other columns.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.records.base import NonBlank, Record
from pipeline.records.lineage import Lineage


class Message(Record):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: NonBlank


class SFTExample(Record):
    """A conversation whose last turn is the target."""

    id: NonBlank
    messages: tuple[Message, ...]
    exchange_id: NonBlank
    response_id: NonBlank
    lineage: Lineage

    @model_validator(mode="after")
    def _ends_with_the_assistant(self) -> Self:
        roles = [message.role for message in self.messages]
        turns = roles[1:] if roles[:1] == ["system"] else roles
        wanted = ["user", "assistant"] * (len(turns) // 2)
        if not turns or turns != wanted:
            raise ValueError(f"roles must alternate user, assistant and end there: {roles}")
        return self


class PreferencePair(Record):
    """Two answers to one prompt, the better one `chosen`.

    Ratings are 1 (bad) to 3 (good), None where a side was not rated.
    """

    id: NonBlank
    prompt: tuple[Message, ...] = Field(min_length=1)
    chosen: tuple[Message, ...] = Field(min_length=1, max_length=1)
    rejected: tuple[Message, ...] = Field(min_length=1, max_length=1)
    exchange_id: NonBlank
    chosen_id: NonBlank
    rejected_id: NonBlank
    chosen_rating: int | None = None
    rejected_rating: int | None = None
    lineage: Lineage

    @model_validator(mode="after")
    def _sides_differ(self) -> Self:
        if self.chosen[0].content.strip() == self.rejected[0].content.strip():
            raise ValueError("chosen and rejected are identical")
        return self

    @model_validator(mode="after")
    def _roles_fit(self) -> Self:
        if self.prompt[-1].role != "user":
            raise ValueError(f"the prompt must end with the user, not {self.prompt[-1].role}")
        if self.chosen[0].role != "assistant" or self.rejected[0].role != "assistant":
            raise ValueError("both sides must be one assistant message")
        return self
