"""Text that speaks to the model rather than to the listener. It is flagged, never altered."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SUSPICIONS = {
    "asks_to_ignore_instructions": re.compile(
        r"\b(?:ignore|disregard|forget|override|skip)\b[^.!?\n]{0,40}"
        r"\b(?:above|previous|prior|preceding|earlier|instructions?|prompts?|rules)\b",
        re.IGNORECASE,
    ),
    "speaks_of_the_prompt": re.compile(
        r"\b(?:system|hidden|developer|initial)\s+(?:prompt|message|instructions?)\b",
        re.IGNORECASE,
    ),
    "assigns_a_role": re.compile(
        r"\b(?:you are now|from now on,? you|act as|pretend to be)\b[^.!?\n]{0,40}"
        r"\b(?:an? ai|assistant|model|chatbot|dan|gpt\w*|developer)\b",
        re.IGNORECASE,
    ),
    "imitates_marks": re.compile(
        r"<\s*/?\s*(?:context|speaker|reply|response|system|assistant|user|instructions?)\s*>"
        r"|<\|\w+\|>|\[/?INST\]|^\s*#{2,}\s*(?:system|instructions?)\b",
        re.IGNORECASE | re.MULTILINE,
    ),
}


def suspected_injections(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the suspicions that any of `texts` raises, in alphabetical order.

    A suspicion is a hint for a reader: people do write "ignore what I said earlier".
    """
    joined = "\n".join(texts)
    return tuple(sorted(name for name, sign in _SUSPICIONS.items() if sign.search(joined)))
