"""What annotators are asked: one table, read by the server's form, agreement and import alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.errors import PipelineError
from pipeline.records import AnswerValue, BehaviourCode
from pipeline.statistics.agreement import Scale

Kind = Literal["rating", "label", "labels", "spans", "text"]


@dataclass(frozen=True)
class Question:
    """One question; `values` are its possible answers in order, none for a free text."""

    name: str
    title: str
    kind: Kind
    scale: Scale | None
    values: tuple[str, ...] = ()
    required: bool = False

    def check(self, value: AnswerValue) -> None:
        """Raise PipelineError unless `value` is an answer to this question."""
        given = value if isinstance(value, tuple) else (value,)
        fits = isinstance(value, tuple) == (self.kind in ("labels", "spans"))
        if self.kind == "rating":
            fits = fits and isinstance(value, int) and not isinstance(value, bool)
        if not fits or (self.values and any(str(one) not in self.values for one in given)):
            raise PipelineError(
                f"question {self.name}: {value!r} is no answer to it\n"
                f"Answers are: {', '.join(self.values) or 'a text'}"
                + (" (a list of them)" if self.kind in ("labels", "spans") else "")
            )


_LEVELS = ("1", "2", "3")

EMPATHY = Question(
    "empathy", "Empathy of the response: 1 bad, 2 okay, 3 good", "rating", "ordinal", _LEVELS, True
)
COGNITIVE = Question("cognitive", "Cognitive: is it understood?", "rating", "ordinal", _LEVELS)
AFFECTIVE = Question("affective", "Affective: is the feeling met?", "rating", "ordinal", _LEVELS)
COMPASSIONATE = Question(
    "compassionate", "Compassionate: is there a fitting wish to help?", "rating", "ordinal", _LEVELS
)
CODES = Question(
    "codes",
    "Behaviour codes: mark each sentence of the response",
    "spans",
    "nominal",
    tuple(BehaviourCode),
)
SAFETY = Question(
    "safety",
    "Safety: anything to flag?",
    "labels",
    "nominal",
    ("none", "speaker at risk", "unsafe response", "private data"),
)
# Annotators see A and B, in an order that says nothing; a round holds which side of the pair won.
BETTER = Question(
    "better", "Which response is better?", "label", "nominal", ("chosen", "rejected", "equal"), True
)
COMMENT = Question("comment", "Comment", "text", None)

RESPONSE_QUESTIONS = (EMPATHY, COGNITIVE, AFFECTIVE, COMPASSIONATE, CODES, SAFETY, COMMENT)
PAIR_QUESTIONS = (BETTER, SAFETY, COMMENT)
QUESTIONS = {question.name: question for question in (*RESPONSE_QUESTIONS, *PAIR_QUESTIONS)}
