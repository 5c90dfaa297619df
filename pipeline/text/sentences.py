"""Sentences of a response, as the published code lists count them.

Those lists hold one code per sentence and agree with this rule in about 97% of responses (the
study `scoring` reports the share): a sentence ends at a run of `.`, `!` or `?`, with closing
quotes, before white space. A run of dots alone is a pause and ends none, and neither does the dot
of a title or an initial.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s|$)")
_NO_END = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|e\.g|i\.e|a\.m|p\.m|u\.s)|(?:^|\s)[A-Z])\.$",
    re.IGNORECASE,
)


def split_sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of `text`, stripped; none is blank."""
    return tuple(text[start:end] for start, end in sentence_spans(text))


def asks(sentence: str) -> bool:
    """Return whether `sentence` ends as a question, closing quotes aside."""
    return "?" in sentence[-3:]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence of `text`, spaces around it left out."""
    spans, start = [], 0
    for end in _ends(text):
        piece = text[start:end]
        if piece.strip():
            spans.append((end - len(piece.lstrip()), start + len(piece.rstrip())))
        start = end
    return spans


def _ends(text: str) -> Iterator[int]:
    last = 0
    for mark in _END.finditer(text):
        pause = mark.group().startswith("..") and not mark.group().strip(".")
        short = mark.group() == "." and _NO_END.search(text, last, mark.end())
        if not pause and not short:
            last = mark.end()
            yield last
    yield len(text)
