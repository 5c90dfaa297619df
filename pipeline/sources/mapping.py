"""Guess which column of a person's own table holds what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pipeline.errors import PipelineError
from pipeline.names import as_written
from pipeline.sources.base import ResponderColumns, TableColumns, unusable

# Names seen in public dialogue corpora, the most telling first.
_NAMES: Mapping[str, Sequence[str]] = {
    "utterance": (
        "utterance", "speaker_uttr", "speaker_utterance", "seeker_post", "seeker", "prompt",
        "question", "user", "input", "post", "instruction", "message", "query",
    ),
    "situation": ("situation", "context", "background", "scenario", "history"),
    "dialogue_id": (
        "dialogue_id", "dialog_id", "conversation_id", "conv_id", "session_id", "id",
    ),
    "emotion": ("emotion", "feeling", "mood", "sentiment"),
}  # fmt: skip
_RESPONSE = ("response", "reply", "answer", "output", "completion", "response_post", "assistant")
_RATING = ("rating", "score", "empathy", "empathy_rating")
_RATER = ("rater", "annotator", "worker")
# A column of these, behind a response column's name, tells of that response: `response_2_rater`.
_IS_RATER = rf"(?:{'|'.join(_RATER)})s?(?:[_\-. ]?(?:ids?|names?|e?mails?|\d+))*"
_IS_RATING = r"(?:rating|score)s?"
_MAX_LABEL_CHARS = 1000


def guess_columns(found: Sequence[str], *, chosen: Mapping[str, str], licence: str) -> TableColumns:
    """Return the mapping that `found` column names suggest; `chosen` overrules the guesses.

    Keys of `chosen` are utterance, situation, dialogue_id, emotion, response and rating.
    `response_human` and `rating_human` make a responder `human`; a lone `response` is the responder
    `reference`. Raises PipelineError where the utterance or any response cannot be told.
    """
    by_lower = {name.lower(): name for name in found}
    for role, column in chosen.items():
        if column not in found:
            raise PipelineError(
                f"--{role.replace('_', '-')} {column}: no such column\n"
                f"The file has: {', '.join(found)}"
            )
    named = {
        role: chosen.get(role) or next((by_lower[one] for one in names if one in by_lower), None)
        for role, names in _NAMES.items()
    }
    taken = set(named.values())
    responses = _responders([name for name in found if name not in taken])
    if "response" in chosen:
        responses = {
            "reference": ResponderColumns(text=chosen["response"], rating=chosen.get("rating"))
        }
    if named["utterance"] is None or not responses:
        missing = "the utterance" if named["utterance"] is None else "a response"
        option = "--utterance COLUMN" if named["utterance"] is None else "--response COLUMN"
        raise PipelineError(
            f"cannot tell which column is {missing}\nSay it with {option}. "
            f"The file has: {', '.join(found)}"
        )
    return TableColumns(
        utterance=named["utterance"],
        situation=named["situation"],
        dialogue_id=named["dialogue_id"],
        emotion=named["emotion"],
        responses=responses,
        licence=licence,
    )


def _responders(found: Iterable[str]) -> dict[str, ResponderColumns]:
    """Return the columns of each responder, who is called what stands behind `response_`.

    What tells of raters is never a response, with or without one beside it: ids of people would go
    into the corpus as texts. A rating is none where what it rates is beside it.
    """
    columns = list(found)
    lower = {name.lower() for name in columns}
    raters = _told_of(columns, _IS_RATER)
    ratings = {
        name: rated
        for name, rated in _told_of(columns, _IS_RATING).items()
        if rated.lower() in lower
    }
    labels = {
        name: label
        for name, label in _labels(columns, _RESPONSE).items()
        if name not in raters and name not in ratings
    }
    cases = Counter(label.lower() for label in labels.values())
    responders: dict[str, ResponderColumns] = {}
    for name, label in labels.items():
        if problem := unusable(label, _MAX_LABEL_CHARS):
            raise PipelineError(
                f"column {as_written(name)}: cannot name a responder ({problem[1]})\n"
                "Rename the column, or name those that count with --response and --rating."
            )
        responder = label if label.strip() else "reference"
        if responder in responders:
            raise PipelineError(
                f"columns {as_written(responders[responder].text)} and {as_written(name)}: both "
                f"hold responses of {as_written(responder)}\n"
                "Rename one of them, or name the columns that count with --response and --rating."
            )
        alone = cases[label.lower()] == 1
        responders[responder] = ResponderColumns(
            text=name,
            rating=_partner(_labels(columns, _RATING), label, alone=alone)
            or _partner(ratings, name, alone=alone),
            rater=_partner(_labels(columns, _RATER), label, alone=alone)
            or _partner(raters, name, alone=alone),
        )
    return responders


def _labels(columns: Iterable[str], stems: Sequence[str]) -> dict[str, str]:
    """Return column to label, of the columns whose name begins with one of `stems`."""
    found = {name: _suffix(name, stems) for name in columns}
    return {name: label for name, label in found.items() if label is not None}


def _told_of(columns: Iterable[str], what: str) -> dict[str, str]:
    """Return column to the name before it, of the columns whose name ends with `what`."""
    pattern = re.compile(rf"(.+)[_\-. ]{what}", flags=re.IGNORECASE | re.DOTALL)
    found = {name: pattern.fullmatch(name) for name in columns}
    return {name: match.group(1) for name, match in found.items() if match}


def _partner(labels: Mapping[str, str], label: str, *, alone: bool) -> str | None:
    """Return the column of `label`; of any case where no other responder has its letters."""
    same = [name for name, one in labels.items() if one == label]
    near = [name for name, one in labels.items() if alone and one.lower() == label.lower()]
    return next(iter(same or near), None)


def _suffix(name: str, stems: Sequence[str]) -> str | None:
    """Return "human" for `response_human`, "" for `response`, None for anything else.

    The case of a label counts where the column begins in lower case; `Response-A` is `a`'s.
    """
    for stem in sorted(stems, key=len, reverse=True):
        if match := re.fullmatch(rf"{stem}(?:[_\-. ](.+))?", name, flags=re.IGNORECASE | re.DOTALL):
            label = match.group(1) or ""
            return label if name[0].islower() else label.lower()
    return None
