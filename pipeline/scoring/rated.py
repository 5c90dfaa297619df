"""`RatedSet`: who rated what, as arrays; features stand beside it in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError
from pipeline.features.table import Array
from pipeline.records import Exchange, Response

Labels = NDArray[np.int64]
Names = NDArray[np.str_]
CLASSES = (1, 2, 3)


class ScoringError(PipelineError):
    """A scorer cannot be fitted or used on what it was given."""


@dataclass(frozen=True)
class RatedSet:
    """One entry per rated response.

    `ratings` are 1 to 3; `dialogues` join what must stay on one side of a split; `raters` are
    pseudonyms, "" where unknown; `teq` is the rater's questionnaire total, NaN where unknown.
    """

    ids: Names
    ratings: Labels
    dialogues: Names
    responders: Names
    raters: Names
    teq: Array

    def __post_init__(self) -> None:
        outside = sorted(set(self.ratings.tolist()) - set(CLASSES))
        if outside:
            raise ScoringError(
                f"rating {outside[0]}: not one of 1, 2 and 3\n"
                "Map your scale to 1 (bad), 2 and 3 (good)."
            )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, positions: Sequence[int] | NDArray[np.intp]) -> Self:
        """Return the entries at `positions`, in that order."""
        at = np.asarray(positions, dtype=np.intp)
        return type(self)(
            ids=self.ids[at],
            ratings=self.ratings[at],
            dialogues=self.dialogues[at],
            responders=self.responders[at],
            raters=self.raters[at],
            teq=self.teq[at],
        )


def by_first_sight(names: Names) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the group of each entry, numbered from 0 by who comes first, and each group's size.

    Sums over groups then run in the order of the rows: what a rater is called, which another
    secret changes, moves not even the last digit of a result.
    """
    _, first, place, count = np.unique(
        names, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    return np.argsort(order)[place], count[order]


def rated_set(pairs: Iterable[tuple[Exchange, Response]]) -> RatedSet:
    """Return the rated ones of (exchange, response) pairs.

    A rater's pseudonym is one within a source, so the source's name goes before it.
    """
    rated = [(exchange, response) for exchange, response in pairs if response.rating is not None]
    if not rated:
        raise ScoringError("no response is rated\nA scorer learns from ratings: ingest some.")
    return RatedSet(
        ids=np.array([response.id for _, response in rated]),
        ratings=np.array([response.rating for _, response in rated], dtype=np.int64),
        dialogues=np.array([exchange.dialogue_id for exchange, _ in rated]),
        responders=np.array([response.responder for _, response in rated]),
        raters=np.array(
            [f"{one.lineage.source} {one.rater}" if one.rater else "" for _, one in rated]
        ),
        teq=np.array(
            [np.nan if one.rater_teq is None else one.rater_teq for _, one in rated],
            dtype=np.float64,
        ),
    )
