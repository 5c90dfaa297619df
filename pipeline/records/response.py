"""A listener turn that answers an exchange."""

from __future__ import annotations

from pydantic import Field

from pipeline.records.base import NonBlank, Record
from pipeline.records.lineage import Lineage
from pipeline.records.miti import BehaviourCode

# A keyed hash; `pipeline.sources.pseudonyms` makes it.
RATER = r"^r-[0-9a-f]{12}$"


class Response(Record):
    """One candidate answer to the exchange `exchange_id`.

    `responder` says who wrote it (a person's role or a model), never a person's name. `rating` is
    empathy from 1 (bad) to 3 (good), None where nobody rated it. `rater` is a pseudonym, a
    keyed hash (`r-` and 12 hex digits), and `rater_teq` that rater's Toronto Empathy Questionnaire
    total, 0 to 64, 64 most empathic, where the source has it. Both are kept so that scorers can
    take a rater's leniency out of training; no model sees them at prediction. `codes` holds one
    behaviour code per sentence, where the source has them.
    """

    id: NonBlank
    exchange_id: NonBlank
    responder: NonBlank
    text: NonBlank
    style: str | None = None
    rating: int | None = Field(default=None, ge=1, le=3)
    rater: str | None = Field(default=None, pattern=RATER)
    rater_teq: int | None = None
    codes: tuple[BehaviourCode, ...] | None = None
    lineage: Lineage
