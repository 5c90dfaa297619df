"""Which corpora are built: the sections of params.yaml that several stages share."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config import Section
from pipeline.names import Slug


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


class HumanCorpus(Section):
    """Method 2: the reference responses, and a teacher's better versions of them.

    `responses` names a distillation of method `human`.
    """

    method: Literal["human"]
    responses: Slug


class LlmCorpus(Section):
    """Method 3: a teacher's first responses, and its own better versions of them.

    `responses` names a distillation of method `llm` other than the first responses. `sft_share` of
    the exchanges (the paper's is 950 of 1,750), drawn by the seed, become supervised rows, the
    others pairs. The published code
    takes the reference response where the first response was meant, as a target and as the
    rejected side; `m3_rejected: authors` does so as well, in the supervised rows and in the pairs
    of the authors' filter.
    """

    method: Literal["llm"]
    responses: Slug
    initial: Slug = Field(default="llm-direct", description="the distillation of first responses")
    sft_share: float = Field(default=950 / 1750, gt=0, lt=1, description="share of exchanges")
    m3_sft_targets: Literal["both", "improved"] = "both"
    m3_rejected: Literal["initial", "authors"] = "initial"


class Distillation(Section):
    """One entry of section `distillations`: what is asked of the teacher.

    Method `human` improves the reference responses, `llm` writes first responses (strategy
    `direct`) and improves those. `parents` names the table that holds what is to be improved.
    """

    method: Literal["human", "llm"]
    strategy: str
    parents: Slug

    @model_validator(mode="after")
    def _strategy_fits_method(self) -> Self:
        if self.method == "human" and self.strategy == "direct":
            raise ValueError("strategy direct writes first responses: method llm")
        if self.method == "human" and self.parents != "source":
            raise ValueError("method human improves the reference responses: parents: source")
        return self

    def parent_responder(self, reference: str) -> str | None:
        """Return whose responses are improved, None where first ones are written."""
        if self.strategy == "direct":
            return None
        return reference if self.method == "human" else self.parents


Corpus = Annotated[
    DirectCorpus | ReferenceCorpus | HumanCorpus | LlmCorpus, Field(discriminator="method")
]
