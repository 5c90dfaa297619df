"""What people decided, as everything that learns or judges by it reads it.

A person's final label stands in place of what the corpus came with, and counts as one response,
like every other: it was given under a written codebook, and disagreements were decided. Labels that
a corpus came with change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.annotation.questions import BETTER
from pipeline.records import BehaviourCode, FinalLabel, Response
from pipeline.storage import read_table

SentenceCodes = Mapping[int, tuple[BehaviourCode, ...]]


@dataclass(frozen=True)
class FinalLabels:
    """Ratings (1 to 3) by response id, codes by response id and sentence from 0.

    `better` holds `chosen`, `rejected` or `equal` by the id of a pair.
    """

    ratings: Mapping[str, int]
    codes: Mapping[str, SentenceCodes]
    better: Mapping[str, str]

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """Read the table of final labels; without a file there are none."""
        return cls.of(read_table(path, FinalLabel) if path else ())

    @classmethod
    def of(cls, labels: Iterable[FinalLabel]) -> Self:
        """Keep what people gave."""
        ratings: dict[str, int] = {}
        codes: defaultdict[str, dict[int, tuple[BehaviourCode, ...]]] = defaultdict(dict)
        better: dict[str, str] = {}
        for label in labels:
            if label.method == "source":
                continue
            if label.question == "empathy":
                ratings[label.item_id] = int(label.values[0])
            elif label.question == "codes" and label.sentence is not None:
                codes[label.item_id][label.sentence] = tuple(map(BehaviourCode, label.values))
            elif label.question == BETTER.name:
                better[label.item_id] = label.values[0]
        return cls(ratings, codes, better)

    def rate(self, response: Response) -> Response:
        """Return the response with people's rating and without a rater, if people rated it."""
        if response.id not in self.ratings:
            return response
        rating = {"rating": self.ratings[response.id], "rater": None, "rater_teq": None}
        return response.model_copy(update=rating)

    def counts(self, responses: Sequence[Response]) -> dict[str, int | str]:
        """Return what these labels are to the `responses` that are learned from."""
        rated = [response for response in responses if response.id in self.ratings]
        labelled = set(self.ratings) | set(self.codes)
        return {
            "rated_by_people": len(rated),
            "in_place_of_a_source_rating": sum(response.rating is not None for response in rated),
            "coded_by_people": sum(response.id in self.codes for response in responses),
            "not_in_training": len(labelled - {response.id for response in responses}),
            "weight": "every response counts once",
        }
