"""The rated responses of both studies of Welivita and Pu, with all features that need no coder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TableError
from pipeline.evaluation.published import PublishedSplit
from pipeline.features.context import context_tables
from pipeline.features.embeddings import Embedder
from pipeline.features.presence import presence_table
from pipeline.features.subfactors import subfactor_table
from pipeline.features.table import FeatureTable, join
from pipeline.records import Exchange, Response
from pipeline.scoring.rated import RatedSet, rated_set
from pipeline.sources import ReadOptions, Sourced, get_source
from studies.scoring.scoring_paper import PublishedRow, read_published

FILES = {
    "welivita2023": "welivita2023/dataset_and_ratings.csv",
    "welivita2024": "welivita2024/dataset.csv",
}
SCORES = "scoring_paper/gpt4o-mini-15v2-ratings.csv"
BALANCED = "scoring_paper/15v2_w_miti.csv"
# Its codes are a copy of another column's, those of `chatgpt`.
COPIED = "chatgpt_empathy"
MAX_CHARS = 20_000

Pairs = list[tuple[Exchange, Response]]


@dataclass(frozen=True)
class RatedData:
    """12,000 ratings of 2,000 dialogues.

    `balanced` are the positions of the paper's 1,920, in the order of its file; `scored` marks the
    6,000 responses with published subfactors.
    """

    pairs: Pairs
    rated: RatedSet
    table: FeatureTable
    balanced: NDArray[np.intp]
    scored: NDArray[np.bool_]

    @property
    def published(self) -> tuple[RatedSet, FeatureTable]:
        """The paper's set, in its order."""
        ids = [str(one) for one in self.rated.ids[self.balanced]]
        return self.rated.take(self.balanced), self.table.rows(ids)


def load(data: Path, embedder: Embedder | None) -> RatedData:
    """Read the sources and join their features; without `embedder` there are no embeddings."""
    pairs = read_pairs(data)
    rated = rated_set(pairs)
    ids = [response.id for _, response in pairs]
    place = {
        (exchange.dialogue_id, response.responder): number
        for number, (exchange, response) in enumerate(pairs)
        if exchange.lineage.source == "welivita2023"
    }
    scores = {
        _find(place, row, data / SCORES): row.subfactors
        for row in read_published(data / SCORES, coded=False)
    }
    balanced = [
        _find(place, row, data / BALANCED) for row in read_published(data / BALANCED, coded=True)
    ]
    tables = [
        subfactor_table("v2", [(one, scores.get(number)) for number, one in enumerate(ids)]),
        presence_table("published", [(response.id, response.codes) for _, response in pairs]),
        *context_tables(pairs, embedder),
    ]
    return RatedData(
        pairs=pairs,
        rated=rated,
        table=join(tables, ids),
        balanced=np.array(balanced, dtype=np.intp),
        scored=np.isin(np.arange(len(ids)), list(scores)),
    )


def read_pairs(data: Path) -> Pairs:
    """Return every rated response once: two columns of the later study repeat the earlier one."""
    seen: set[tuple[str, str]] = set()
    pairs = []
    for source, file in FILES.items():
        for sourced in get_source(source).read(data / file, ReadOptions(max_chars=MAX_CHARS)):
            if not isinstance(sourced, Sourced):
                continue
            for response in sourced.responses:
                key = (sourced.exchange.dialogue_id, response.text)
                if source == "welivita2024" and key in seen:
                    continue
                seen.add(key)
                pairs.append((sourced.exchange, response))
    return pairs


def _find(place: Mapping[tuple[str, str], int], row: PublishedRow, path: Path) -> int:
    number = place.get((row.dialogue_id, row.responder))
    if number is None:
        raise TableError(
            path,
            f"{row.dialogue_id}, {row.responder}: no such response in welivita2023",
            hint="Both files must be the published ones: see distillery fetch welivita2023.",
        )
    return number


def shared_dialogues(data: RatedData) -> float:
    """Return the share of the paper's test rows whose dialogue is in its training part."""
    rated, _ = data.published
    return PublishedSplit.of(rated).shared_dialogues(rated)
