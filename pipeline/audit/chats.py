"""Transcripts of several turns, as lists of messages or as one text with marks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

SPEAKERS = {"speaker", "user", "human", "client", "seeker", "usr", "patient", "0"}
LISTENERS = {"listener", "assistant", "gpt", "therapist", "supporter", "sys", "bot", "1"}
_HALF = re.compile("[\ud800-\udfff]")
_SPEAKER_MARK, _LISTENER_MARK = "\n\nHuman:", "\n\nAssistant:"


@dataclass(frozen=True)
class Chat:
    """The last turn of a transcript as the `reply`, all turns before it, and who said what last.

    `said` is the speaker's last turn: what the reply answers. A text that is no transcript is a
    reply with nothing before it.
    """

    reply: str
    before: str = ""
    said: str = ""


def split_chat(value: Any) -> Chat:
    """Split a list of messages, or a text with `Human:` and `Assistant:` marks."""
    if isinstance(value, list):
        turns = [read_turn(turn) for turn in value if isinstance(turn, dict)]
        spoken = [text for who, text in turns[:-1] if who in SPEAKERS]
        return Chat(
            reply=turns[-1][1] if turns else "",
            before="\n".join(text for _, text in turns[:-1]),
            said=spoken[-1] if spoken else "",
        )
    text = as_text(value)
    if not text.startswith((_SPEAKER_MARK, _LISTENER_MARK)):
        return Chat(text)
    before, _, reply = text.rpartition(_LISTENER_MARK)
    said = before.rpartition(_SPEAKER_MARK)[2].partition(_LISTENER_MARK)[0]
    return Chat(reply.strip(), before.strip(), said.strip())


def read_turn(turn: dict[str, Any]) -> tuple[str, str]:
    """Return who speaks, in lower case, and what, by any of the usual keys."""
    who = next((turn[key] for key in ("role", "speaker", "from") if key in turn), "")
    text = next((turn[key] for key in ("content", "text", "value") if key in turn), "")
    return str(who).lower(), as_text(text).strip()


def message_text(value: Any) -> str:
    """Return a cell that is text or a list of messages as text."""
    if not isinstance(value, list):
        return as_text(value)
    return "\n".join(read_turn(turn)[1] for turn in value if isinstance(turn, dict))


def as_text(value: Any) -> str:
    """Return a cell as text; None and NaN are empty, lone surrogates become U+FFFD."""
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return ""
    text = value if isinstance(value, str) else str(value)
    return text if text.isascii() else _HALF.sub("\ufffd", text)
