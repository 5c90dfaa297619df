"""Which corpora are built: the sections of params.yaml that several stages share."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config import Section


class RespondersParams(Section):
    """Section `responders`: whose response is the reference, and whose are teachers' responses."""

    reference_responder: str
    teacher_responders: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _reference_is_no_teacher(self) -> Self:
        if self.reference_responder in self.teacher_responders:
            raise ValueError(f"{self.reference_responder} is both the reference and a teacher")
        return self


class DirectCorpus(Section):
    """Method 1: rated responses of the `teachers` beside the reference response."""

    method: Literal["direct"]
    responses: Literal["source"] = "source"
    teachers: tuple[str, ...] = Field(min_length=1)


class ReferenceCorpus(Section):
    """The reference responses alone, for a source without rated teachers; makes no pairs."""

    method: Literal["reference"]
    responses: Literal["source"] = "source"


Corpus = Annotated[DirectCorpus | ReferenceCorpus, Field(discriminator="method")]
