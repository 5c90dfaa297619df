"""Guess which column of a person's own table holds what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pipeline.errors import PipelineError
from pipeline.sources.base import ResponderColumns, TableColumns

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
    columns = list(found)
    responders = {}
    for name in columns:
        suffix = _suffix(name, _RESPONSE)
        if suffix is not None:
            responders[suffix or "reference"] = ResponderColumns(
                text=name,
                rating=_partner(columns, _RATING, suffix),
                rater=_partner(columns, _RATER, suffix),
            )
    return responders


def _partner(columns: Iterable[str], stems: Sequence[str], suffix: str) -> str | None:
    return next((name for name in columns if _suffix(name, stems) == suffix), None)


def _suffix(name: str, stems: Sequence[str]) -> str | None:
    """Return "human" for `response_human`, "" for `response`, None for anything else."""
    for stem in sorted(stems, key=len, reverse=True):
        if match := re.fullmatch(rf"{stem}(?:[_\-. ](.+))?", name, flags=re.IGNORECASE):
            return (match.group(1) or "").lower()
    return None
