"""What a person said about an item, what a model proposed, and what was decided in the end."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from pipeline.records.base import NonBlank, Record

AnswerStatus = Literal["submitted", "draft", "discarded"]
AnswerRole = Literal["annotator", "adjudicator", "source"]
AnswerValue = int | str | tuple[str, ...]

WHOLE_RECORD = "record"


class Annotation(Record):
    """One answer to one question about one item: a line of `annotations/rounds/<n>.jsonl`.

    `item_id` is the id of a response or of a preference pair, `sentence` counts its sentences from
    0 where the question is asked per sentence. `value` is a rating, a label, a set of labels or a
    text; it is None only in a draft, or where a record was discarded as a whole (`question` is then
    "record"). `annotator` is a pseudonym, a keyed hash, never a name. `role` is `source` for labels
    that a corpus came with. `suggestion_shown` says whether the annotator saw `suggestion`; a
    suggestion that was withheld is kept, so that anchoring can be measured.
    """

    item_id: NonBlank
    question: NonBlank
    sentence: int | None = Field(default=None, ge=0)
    value: AnswerValue | None = None
    status: AnswerStatus
    role: AnswerRole = "annotator"
    annotator: NonBlank
    answered_at: AwareDatetime | None = None
    guidelines: NonBlank
    suggestion: AnswerValue | None = None
    suggestion_agent: str | None = None
    suggestion_shown: bool | None = None
    origin: NonBlank

    @model_validator(mode="after")
    def _a_submitted_answer_has_a_value(self) -> Self:
        if self.status == "submitted" and self.value is None:
            raise ValueError("a submitted answer needs a value")
        return self

    @property
    def unit(self) -> str:
        """What is compared between annotators: the item, or one sentence of it."""
        return self.item_id if self.sentence is None else f"{self.item_id}#{self.sentence}"

    @property
    def key(self) -> tuple[str, int, str, str, str]:
        """What must be there once: item, sentence, question, annotator and role."""
        sentence = -1 if self.sentence is None else self.sentence
        return self.item_id, sentence, self.question, self.annotator, self.role


class Suggestion(Record):
    """What a scorer, a rater or a coder proposes; `score` is its confidence, 0 to 1.

    `probabilities` are those of all answers, by a model that has them.
    """

    item_id: NonBlank
    question: NonBlank
    sentence: int | None = Field(default=None, ge=0)
    value: AnswerValue
    score: float | None = Field(default=None, ge=0, le=1)
    probabilities: dict[str, float] | None = None
    agent: NonBlank


class FinalLabel(Record):
    """The label that training reads, and how it came about.

    `values` holds one text, or several for a question that takes a set. `method`: `adjudicated` by
    a person who saw the disagreement, `unanimous`, `majority` of more than half, `sole` (one
    annotator), or `source` (came with the corpus). `annotators` are all who answered; `agreeing`
    counts those whose answer this is.
    """

    item_id: NonBlank
    question: NonBlank
    sentence: int | None = None
    values: tuple[str, ...]
    method: Literal["adjudicated", "unanimous", "majority", "sole", "source"]
    annotators: tuple[str, ...]
    agreeing: int
    guidelines: NonBlank
    round: int


class Selected(Record):
    """One item that routing picked for people; `rank` counts from 1, first things first.

    `reason` is the rule that picked it; `blind` items show no suggestion; `annotators_wanted` is 1,
    or the overlap for items on which agreement is measured.
    """

    item_id: NonBlank
    exchange_id: NonBlank
    responder: NonBlank
    rank: int = Field(ge=1)
    reason: NonBlank
    stratum: NonBlank
    blind: bool
    annotators_wanted: int = Field(ge=1)
