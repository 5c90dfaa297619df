"""Which sentences of a response a marked span belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.text.sentences import sentence_spans


def codes_by_sentence(text: str, marks: Sequence[tuple[int, int, str]]) -> list[tuple[str, ...]]:
    """Return the codes of each sentence of `text`, in sentence order; () where nothing is marked.

    `marks` are (start, end, code). A mark counts for a sentence if it covers at least half of it,
    and for the one it covers most if there is no such sentence.
    """
    sentences = sentence_spans(text)
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
