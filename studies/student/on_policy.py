"""A variant beside the published recipe: preferences among the supervised student's own replies.

The student answers dialogues of its own half several times. Two scorers, made like the judges but
taught by the students' half alone, rate the replies; the best and the worst of each dialogue are a
pair. The scorers share their kind of features with the judges, so what this student gains is partly
what such scorers like: its row stands apart, with lengths and findings beside it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.corpora.candidates import Candidate
from pipeline.corpora.preference import preference_pair
from pipeline.evaluation.judges import PointwiseJudge
from pipeline.features.embeddings import CachedEmbedder, MiniLm
from pipeline.features.table import Array
from pipeline.records import Exchange, PreferencePair, Response
from pipeline.storage import read_table
from pipeline.student.answers import CUT
from pipeline.student.students import Student
from studies.judging.dialogues import read_rated
from studies.judging.judges import MARGIN, PLANS, teach_judge
from studies.student.corpus import PROMPT
from studies.student.replies import DRAWN, write_replies

DIALOGUES = 300
SAMPLES = 4
OPERATION = "best_of_own_replies"


class Scores(Protocol):
    """What rates single replies."""

    def rate(self, pairs: Sequence[tuple[Exchange, Response]]) -> Array:
        """Return one number per reply, in rating points."""


def own_replies(
    student: Student, half: Sequence[Exchange], out: Path, *, seed: int
) -> dict[str, list[tuple[Exchange, Response]]]:
    """Return several replies of `student` to a sample of `half`, by exchange; kept in `out`."""
    asked = random.Random(seed).sample(  # noqa: S311  a sample is no secret
        sorted(half, key=lambda one: one.dialogue_id), min(DIALOGUES, len(half))
    )
    write_replies(student, asked, out, seed=seed, samples=SAMPLES, decoding=DRAWN)
    said: dict[str, list[tuple[Exchange, Response]]] = {one.id: [] for one in asked}
    exchanges = {one.id: one for one in asked}
    for response in read_table(out, Response):
        said[response.exchange_id].append((exchanges[response.exchange_id], response))
    return said


def taught_by_the_same(data: Path, half: Sequence[str], work: Path) -> list[PointwiseJudge]:
    """Return scorers of the judges' plans that learned from the students' half alone."""
    dialogues, embedder = read_rated(data), CachedEmbedder(MiniLm())
    return [
        teach_judge(plan, dialogues, half, data, work / "scorers", embedder).judge for plan in PLANS
    ]


def best_over_worst(
    said: dict[str, list[tuple[Exchange, Response]]], scorers: Sequence[Scores]
) -> Iterator[PreferencePair]:
    """Yield a pair per exchange whose best and worst reply differ by more than the judges' margin.

    A reply is worth the mean of the scorers' ratings; one that the length cap cut is never chosen.
    """
    everything = [pair for pairs in said.values() for pair in pairs]
    ratings = np.mean([one.rate(everything) for one in scorers], axis=0)
    worth = {
        response.id: float(one) for (_, response), one in zip(everything, ratings, strict=True)
    }
    for pairs in said.values():
        order = sorted((response for _, response in pairs), key=lambda one: worth[one.id])
        whole = [one for one in order if CUT not in one.lineage.flags]
        if whole and worth[whole[-1].id] - worth[order[0].id] > MARGIN:
            yield preference_pair(
                Candidate(pairs[0][0], {}),
                chosen=whole[-1],
                rejected=order[0],
                prompt=PROMPT,
                operation=OPERATION,
            )


def describe_pairs(pairs: Sequence[PreferencePair]) -> dict[str, Any]:
    """Return how many pairs there are and how long their sides: what length alone would teach."""
    words = np.array(
        [[len(side[0].content.split()) for side in (one.chosen, one.rejected)] for one in pairs]
    )
    chosen, rejected = words.mean(axis=0).tolist()
    return {
        "pairs": len(pairs),
        "words_chosen": round(chosen, 1),
        "words_rejected": round(rejected, 1),
        "chosen_is_longer": round(float((words[:, 0] > words[:, 1]).mean()), 4),
    }
