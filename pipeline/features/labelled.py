"""Sentences that people coded in rounds of annotation, for the sentence coder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pipeline.features.coder import CodedSentence
from pipeline.records import BehaviourCode, Exchange, FinalLabel, Response

CODES = "codes"


def labelled_sentences(
    labels: Iterable[FinalLabel],
    pairs: Iterable[tuple[Exchange, Response]],
    sentences_of: Callable[[str], Sequence[str]],
) -> Iterator[CodedSentence]:
    """Yield the sentences of `pairs` that final labels give one code, as people decided.

    `sentences_of` splits a text as it was shown to them. Labels that came with the corpus are left
    out (the responses carry them), and so are sentences with no code or several, and labels of
    responses or sentences that are not there.
    """
    by_id = {response.id: (exchange, response) for exchange, response in pairs}
    for label in labels:
        if label.question != CODES or label.method == "source" or label.sentence is None:
            continue
        if label.item_id not in by_id or len(label.values) != 1:
            continue
        exchange, response = by_id[label.item_id]
        sentences = sentences_of(response.text)
        if label.sentence < len(sentences):
            text = sentences[label.sentence]
            yield CodedSentence(text, BehaviourCode(label.values[0]), exchange.dialogue_id)


def people_first(
    silver: Sequence[CodedSentence], labelled: Sequence[CodedSentence]
) -> list[CodedSentence]:
    """Return both, less the silver codes of sentences that people coded."""
    decided = {(row.group, row.text) for row in labelled}
    return [*(row for row in silver if (row.group, row.text) not in decided), *labelled]
