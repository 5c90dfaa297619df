"""Our questions as an Argilla dataset, and answers in both directions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from pipeline.annotation.items import Item, Kind
from pipeline.annotation.marks import codes_by_sentence
from pipeline.annotation.questions import (
    BETTER,
    PAIR_QUESTIONS,
    QUESTIONS,
    RESPONSE_QUESTIONS,
    Question,
)
from pipeline.records import AnswerValue, Suggestion
from pipeline.text.sentences import sentence_spans

# Raise it when fields, questions or metadata change: a dataset of another number is not read.
SCHEMA = 1
# What a server refuses in the name of an agent.
_NOT_IN_AGENTS = re.compile(r"[^a-zA-Z0-9_:./\s-]")


def questions_of(kind: Kind) -> tuple[Question, ...]:
    """Return what is asked about items of a kind."""
    return RESPONSE_QUESTIONS if kind == "responses" else PAIR_QUESTIONS


def settings(kind: Kind, guidelines: str, *, min_submitted: int) -> Any:
    """Return Argilla's settings. Markdown is off: no text may draw in an image from elsewhere."""
    import argilla as rg

    def text(name: str, title: str, *, required: bool = True) -> Any:
        return rg.TextField(name=name, title=title, use_markdown=False, required=required)

    chat = rg.ChatField(name="chat", title="Conversation", use_markdown=False)
    if kind == "responses":
        fields = [
            text("situation", "Situation"),
            chat,
            text("response", "Response, for marking its sentences"),
        ]
    else:
        fields = [chat, text("response_a", "Response A"), text("response_b", "Response B")]
    return rg.Settings(
        guidelines=guidelines,
        fields=[*fields, text("answers", "Answers so far", required=False)],
        questions=[_question(question) for question in questions_of(kind)],
        metadata=[
            rg.TermsMetadataProperty(name="assigned", title="Assigned to"),
            rg.TermsMetadataProperty(name="internal", visible_for_annotators=False),
        ],
        distribution=rg.TaskDistribution(min_submitted=min_submitted),
    )


def _question(question: Question) -> Any:
    import argilla as rg

    shared = {"name": question.name, "title": question.title, "required": question.required}
    labels = list(question.values)
    if question.kind == "rating":
        return rg.RatingQuestion(values=[int(value) for value in labels], **shared)
    if question.kind == "label":
        labels = ["A", "B", "equal"] if question is BETTER else labels
        return rg.LabelQuestion(labels=labels, **shared)
    if question.kind == "labels":
        return rg.MultiLabelQuestion(labels=labels, **shared)
    if question.kind == "spans":
        return rg.SpanQuestion(
            field="response", labels=labels, allow_overlapping=True, visible_labels=15, **shared
        )
    return rg.TextQuestion(use_markdown=False, **shared)


def record(item: Item, *, assigned: list[str], guidelines: str, answers: str | None = None) -> Any:
    """Return one Argilla record. Suggestions of a blind item stay hidden with it."""
    import argilla as rg

    shown = [] if item.blind else _proposed(item.suggestions)
    hidden = {
        "guidelines": guidelines,
        "wanted": item.wanted,
        "blind": item.blind,
        "withheld": [
            one.model_dump(mode="json", exclude_none=True, exclude={"probabilities"})
            for one in _proposed(item.suggestions)
            if item.blind
        ],
        **item.hidden,
    }
    return rg.Record(
        id=item.id,
        fields=item.fields | ({"answers": answers} if answers else {}),
        metadata={"assigned": assigned, "internal": json.dumps(hidden, ensure_ascii=False)},
        suggestions=[_suggestion(item, group) for group in _by_question(shown)],
    )


def note(held: dict[str, Any]) -> dict[str, Any] | None:
    """Return what `record` noted on a record that a server holds, None if it is gone."""
    internal = (held.get("metadata") or {}).get("internal")
    hidden: dict[str, Any] | None = json.loads(internal) if internal else None
    return hidden


def _proposed(suggestions: tuple[Suggestion, ...]) -> list[Suggestion]:
    """Return what is proposed to annotators: for each question, all that its first agent says."""
    first: dict[str, str] = {}
    return [one for one in suggestions if first.setdefault(one.question, one.agent) == one.agent]


def _by_question(suggestions: Sequence[Suggestion]) -> list[list[Suggestion]]:
    groups: dict[str, list[Suggestion]] = {}
    for suggestion in suggestions:
        groups.setdefault(suggestion.question, []).append(suggestion)
    return list(groups.values())


def _suggestion(item: Item, group: list[Suggestion]) -> Any:
    """Return what is proposed for one question; sentence codes become marks over sentences."""
    import argilla as rg

    told = group[0]
    question = QUESTIONS[told.question]
    question.check(told.value)
    value: Any = list(told.value) if isinstance(told.value, tuple) else told.value
    score: Any = told.score
    if question.kind == "spans":
        ends = sentence_spans(item.fields["response"])
        marks = [
            (ends[one.sentence], label, one.score)
            for one in group
            if one.sentence is not None and one.sentence < len(ends)
            for label in (one.value if isinstance(one.value, tuple) else (one.value,))
        ]
        value = [{"start": first, "end": last, "label": label} for (first, last), label, _ in marks]
        scores = [sure for _, _, sure in marks if sure is not None]
        score = scores if scores and len(scores) == len(marks) else None
    elif question.kind == "labels" and score is not None:
        score = [score] * len(value)
    agent = _NOT_IN_AGENTS.sub("-", told.agent)
    return rg.Suggestion(question.name, value=value, score=score, agent=agent, type="model")


def read_value(
    question: Question, value: Any, fields: dict[str, Any], hidden: dict[str, Any]
) -> list[tuple[int | None, AnswerValue]]:
    """Return (sentence, answer) of one answered question; sentence is None but for codes."""
    if question.kind == "spans":
        marks = [(mark["start"], mark["end"], mark["label"]) for mark in value]
        return list(enumerate(codes_by_sentence(fields["response"], marks))) if marks else []
    if question.kind == "labels":
        return [(None, tuple(sorted(value)))]
    if question is BETTER:
        return [(None, hidden.get(str(value).lower(), value))]
    return [(None, value)]
