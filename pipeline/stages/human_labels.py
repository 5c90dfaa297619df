"""What people decided, as the stages that learn from it read it.

A person's final label stands in place of what the corpus came with, and counts as one response,
like every other: it was given under a written codebook, and disagreements were decided. Labels that
a corpus came with change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.features.coder import CodedSentence, coded_sentences
from pipeline.records import BehaviourCode, Exchange, FinalLabel, Response
from pipeline.storage import read_table
from pipeline.text.sentences import sentence_spans

Pair = tuple[Exchange, Response]


@dataclass(frozen=True)
class HumanLabels:
    """Ratings (1 to 3) by response id, and codes by response id and sentence from 0."""

    ratings: Mapping[str, int]
    codes: Mapping[str, Mapping[int, tuple[BehaviourCode, ...]]]

    def rated(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """Yield all pairs, those that people rated with their rating and without a rater."""
        for exchange, response in pairs:
            if response.id in self.ratings:
                told = {"rating": self.ratings[response.id], "rater": None, "rater_teq": None}
                yield exchange, response.model_copy(update=told)
            else:
                yield exchange, response

    def coded(self, pairs: Iterable[Pair]) -> Iterator[CodedSentence]:
        """Yield coded sentences; of a response that people coded, those that they agreed on."""
        for exchange, response in pairs:
            if response.id not in self.codes:
                yield from coded_sentences([(exchange.dialogue_id, response)])
                continue
            spans = sentence_spans(response.text)
            for sentence, codes in sorted(self.codes[response.id].items()):
                if sentence < len(spans):
                    start, end = spans[sentence]
                    for code in codes:
                        yield CodedSentence(response.text[start:end], code, exchange.dialogue_id)

    def counts(self, pairs: Iterable[Pair]) -> dict[str, int | str]:
        """Return what these labels are to the training `pairs`."""
        responses = [response for _, response in pairs]
        rated = [one for one in responses if one.id in self.ratings]
        known = {one.id for one in responses}
        return {
            "rated_by_people": len(rated),
            "in_place_of_a_source_rating": sum(one.rating is not None for one in rated),
            "coded_by_people": sum(one.id in self.codes for one in responses),
            "not_in_training": len((set(self.ratings) | set(self.codes)) - known),
            "weight": "every response counts once",
        }


def read_human_labels(labels: Path | None) -> HumanLabels:
    """Read the final labels that people gave; without a file there are none."""
    ratings: dict[str, int] = {}
    codes: defaultdict[str, dict[int, tuple[BehaviourCode, ...]]] = defaultdict(dict)
    for label in read_table(labels, FinalLabel) if labels else ():
        if label.method == "source":
            continue
        if label.question == "empathy":
            ratings[label.item_id] = int(label.values[0])
        elif label.question == "codes" and label.sentence is not None:
            codes[label.item_id][label.sentence] = tuple(map(BehaviourCode, label.values))
    return HumanLabels(ratings, codes)
