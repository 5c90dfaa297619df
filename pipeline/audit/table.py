"""`AuditTable`: any dataset as the audit sees it, whatever its columns were called.

A wide row (one dialogue, five replies) becomes several texts that share a row id and differ in
`responder`. Raters are pseudonyms from here on: the ids of the file never reach a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pipeline.audit.finding import Finding, Severity

Speaks = Literal["speaker", "listener"]


@dataclass(frozen=True, slots=True)
class Text:
    """One text to check.

    `prompt` is the utterance it answers, `history` what was said before that, and `improved_from`
    the reply it is a rewrite of.
    `label` is the value of the label column, `rating` the same as a number where it is one.
    `codes` are behaviour codes, one per sentence, or None where the file has none.
    `probabilities` are a classifier's of each label, if the file holds any.
    """

    row_id: str
    text: str
    column: str
    speaks: Speaks = "listener"
    dialogue_id: str | None = None
    responder: str | None = None
    split: str | None = None
    group: str | None = None
    prompt: str | None = None
    history: str = ""
    situation: str | None = None
    improved_from: str | None = None
    emotion: str | None = None
    sentiment: str | None = None
    rater: str | None = None
    label: str | None = None
    rating: float | None = None
    codes: tuple[str, ...] | None = None
    probabilities: Mapping[str, float] | None = None

    @property
    def heard(self) -> str:
        """All that was said to who writes it, oldest first."""
        return "\n".join(part for part in (self.history, self.prompt) if part)


@dataclass(frozen=True, slots=True)
class AuditPair:
    """Two answers, the first preferred; ratings are None where a side was not rated.

    `other_prompt` is the rejected side's own prompt where the file holds one.
    """

    row_id: str
    chosen: str
    rejected: str
    prompt: str = ""
    other_prompt: str | None = None
    chosen_rating: float | None = None
    rejected_rating: float | None = None
    dialogue_id: str | None = None
    split: str | None = None
    votes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuditTable:
    """Texts, pairs and the raw columns of one dataset.

    `raw` holds the scalar and list columns of the file as read, for the checks on columns; its
    values never become evidence. `against` are the texts of another file, for leakage. `embed`
    returns a vector of length 1 per text, shape (texts, d), by a model that the caller chose.
    """

    name: str
    rows: int
    texts: Sequence[Text]
    pairs: Sequence[AuditPair] = ()
    raw: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    columns_guessed: bool = False
    notes: Sequence[str] = ()
    against: Sequence[Text] = ()
    against_name: str = ""
    embed: Callable[[Sequence[str]], Any] | None = None

    @cached_property
    def listener_texts(self) -> list[Text]:
        """The replies: what the checks of style, safety and empathy are about."""
        return [text for text in self.texts if text.speaks == "listener"]

    @cached_property
    def responders(self) -> list[str]:
        """Who answers, in order of the alphabet."""
        return sorted({text.responder for text in self.listener_texts if text.responder})


def text_finding(
    text: Text,
    severity: Severity,
    *,
    explanation: str,
    action: str,
    span: tuple[int, int] | None = None,
    score: float | None = None,
    others: Sequence[str] = (),
    cluster: str | None = None,
) -> Finding:
    """Return a finding about `text`; `span` is the evidence as character offsets in it."""
    start, end = span or (0, min(len(text.text), 200))
    end = min(end, start + 300)
    return Finding(
        severity=severity,
        row_ids=(text.row_id, *others),
        dialogue_id=text.dialogue_id,
        responder=text.responder,
        split=text.split,
        evidence=text.text[start:end],
        excerpt=text.text[max(0, start - 120) : end + 120],
        score=None if score is None else round(score, 4),
        explanation=explanation,
        action=action,
        cluster=cluster,
    )
