"""Sentences of a response, and which of them a marked span belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence

# An end mark with what closes after it, if the next thing starts a sentence or a line ends.
_END = re.compile(r"""(?:[.!?…]+["'”’)\]]*(?=\s+["'“‘(\[]?[^\sa-z]|\s*$))|\n+""")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence, outer spaces left out; `text[start:end]` is it."""
    spans, start = [], 0
    for match in [*_END.finditer(text), None]:
        end = match.end() if match else len(text)
        piece = text[start:end]
        if piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            spans.append((left, start + len(piece.rstrip())))
        start = end
    return spans


def codes_by_sentence(text: str, marks: Sequence[tuple[int, int, str]]) -> list[tuple[str, ...]]:
    """Return the codes of each sentence of `text`, in sentence order; () where nothing is marked.

    `marks` are (start, end, code). A mark counts for a sentence if it covers at least half of it,
    and for the one it covers most if there is no such sentence.
    """
    sentences = split_sentences(text)
    found: list[set[str]] = [set() for _ in sentences]
    for start, end, code in marks:
        covered = [max(0, min(end, last) - max(start, first)) for first, last in sentences]
        if not any(covered):
            continue
        halves = [
            number
            for number, (first, last) in enumerate(sentences)
            if 2 * covered[number] >= last - first
        ]
        for number in halves or [covered.index(max(covered))]:
            found[number].add(code)
    return [tuple(sorted(codes)) for codes in found]
