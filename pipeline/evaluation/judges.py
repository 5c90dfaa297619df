"""Judges: which of two replies is better, by any means.

A judge is asked about all contests at once and answers in their order. It never sees a contest
whose two replies say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.contests import Contest
from pipeline.features.embeddings import Embedder
from pipeline.features.table import Array
from pipeline.records import Exchange, Response
from pipeline.reward_model.applying import Rewards
from pipeline.reward_model.texts import text_of
from pipeline.scoring.predict import expected_ratings, probabilities
from pipeline.text.words import count_words

Place = Literal["first", "second"]
WIN, TIE, LOSS = 1.0, 0.5, 0.0
IDENTICAL = "identical"


@dataclass(frozen=True)
class Verdict:
    """`value` is 1 for our side, 0 for the other, 0.5 for a tie, None where there is none.

    `reason` says why it is a tie or missing, where there is a reason beside the judge's word.
    `asked_twice` is true where both orders were asked, and `favoured` is then the place that won
    in both, which is a preference for the place.
    """

    value: float | None
    reason: str = ""
    asked_twice: bool = False
    favoured: Place | None = None


class Judge(Protocol):
    """One way to tell the better reply."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def judge(self, contests: Sequence[Contest]) -> list[Verdict]:
        """Return a verdict per contest, in order."""


def judge_all(judge: Judge, contests: Sequence[Contest]) -> dict[str, Verdict]:
    """Return verdicts by contest id; each contest is judged once, however often it is listed."""
    found = {one.id: Verdict(TIE, IDENTICAL) for one in contests if one.is_settled}
    unsettled = list({one.id: one for one in contests if one.id not in found}.values())
    if unsettled:
        verdicts = judge.judge(unsettled)
        found |= {one.id: verdict for one, verdict in zip(unsettled, verdicts, strict=True)}
    return found


Rate = Callable[[Sequence[tuple[Exchange, Response]]], Array]


class PointwiseJudge:
    """Rates each reply alone; ours wins by more than `margin`, loses by more, else ties.

    No reply is seen beside another, so there is no order to prefer, and each is rated once.
    """

    def __init__(self, name: str, rate: Rate, *, margin: float) -> None:
        self.name = name
        self.margin = margin
        self._rate = rate
        self._ratings: dict[str, float] = {}

    def judge(self, contests: Sequence[Contest]) -> list[Verdict]:
        """Return a verdict per contest; a reply without a rating has none."""
        replies = {
            response.id: (contest.exchange, response)
            for contest in contests
            for response in (contest.ours, contest.theirs)
        }
        self.rate(list(replies.values()))
        return [
            self._verdict(self._ratings[one.ours.id] - self._ratings[one.theirs.id])
            for one in contests
        ]

    def rate(self, pairs: Sequence[tuple[Exchange, Response]]) -> Array:
        """Return the rating of each reply; one that was rated before is not rated again."""
        unknown = {one.id: (to, one) for to, one in pairs if one.id not in self._ratings}
        if unknown:
            found = self._rate(list(unknown.values())).tolist()
            self._ratings.update(zip(unknown, found, strict=True))
        return np.array([self._ratings[response.id] for _, response in pairs])

    def _verdict(self, ahead: float) -> Verdict:
        if np.isnan(ahead):
            return Verdict(None, "no rating")
        if abs(ahead) <= self.margin:
            return Verdict(TIE, "within the margin")
        return Verdict(WIN if ahead > 0 else LOSS)


def scorer_judge(folder: Path, embedder: Embedder, *, name: str, margin: float) -> PointwiseJudge:
    """Return the judge that is the scorer saved in `folder`: the expected rating, 1 to 3."""

    def rate(pairs: Sequence[tuple[Exchange, Response]]) -> Array:
        return expected_ratings(probabilities(pairs, folder, embedder))

    return PointwiseJudge(name, rate, margin=margin)


def reward_judge(model: Rewards, *, name: str, margin: float) -> PointwiseJudge:
    """Return the judge that is a reward model; it reads what it was trained with."""

    def rate(pairs: Sequence[tuple[Exchange, Response]]) -> Array:
        return model.reward([text_of(exchange, response) for exchange, response in pairs])

    return PointwiseJudge(name, rate, margin=margin)


def longer_judge() -> PointwiseJudge:
    """Return the judge that counts words: what agrees with it may be about length alone."""

    def rate(pairs: Sequence[tuple[Exchange, Response]]) -> Array:
        return np.array([float(count_words(response.text)) for _, response in pairs])

    return PointwiseJudge("words", rate, margin=0)


class HumanJudge:
    """What people answered in Argilla to "which is better"; a contest nobody saw has no verdict.

    `better` holds `chosen`, `rejected` or `equal` by the id of a contest; the pairs were pushed as
    `contest_pairs` makes them.
    """

    name = "people"
    _values: Mapping[str, float] = {"chosen": WIN, "rejected": LOSS, "equal": TIE}

    def __init__(self, better: Mapping[str, str]) -> None:
        self._better = better

    def judge(self, contests: Sequence[Contest]) -> list[Verdict]:
        """Return people's verdicts. Raises EvaluationError if they saw not one of the contests."""
        found = [self._better.get(contest.id) for contest in contests]
        if not any(found):
            raise EvaluationError(
                "people: no label of question `better` belongs to these contests\n"
                "Push them first: distillery annotate push --pairs datasets/contests.parquet"
            )
        return [
            Verdict(None, "not labelled") if one is None else Verdict(self._values[one])
            for one in found
        ]
