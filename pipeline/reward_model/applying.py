"""What a reward is for: the best of several responses, pairs worth training on, what to label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np

from pipeline.features.table import Array
from pipeline.records import Exchange, PreferencePair, Rejection, Response, Suggestion
from pipeline.reward_model.heads.linear import sigmoid
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import RewardError, Text, text_of, texts_of_pair

STAGE = "reward_filter"


class Rewards(Protocol):
    """Anything that gives texts a reward; greater is better."""

    def reward(self, texts: Sequence[Text]) -> Array:
        """Return one number per text."""


@dataclass(frozen=True)
class Ranked:
    """A response with its reward; `rank` counts from 1 within its exchange."""

    response: Response
    reward: float
    rank: int


def rank(
    model: Rewards, exchanges: Mapping[str, Exchange], responses: Iterable[Response]
) -> Iterator[Ranked]:
    """Yield the responses of each exchange, best first; equal rewards keep their order.

    Raises RewardError for a response to an exchange that is not there.
    """
    rows = sorted(responses, key=lambda one: one.exchange_id)
    if lost := next((one for one in rows if one.exchange_id not in exchanges), None):
        raise RewardError(
            f"response {lost.id}: exchange {lost.exchange_id} is not there\n"
            "Give the exchanges that were answered."
        )
    rewards = model.reward([text_of(exchanges[one.exchange_id], one) for one in rows])
    numbered = enumerate(rows)
    for _, group in groupby(numbered, key=lambda item: item[1].exchange_id):
        order = sorted(group, key=lambda item: -rewards[item[0]])
        for place, (row, response) in enumerate(order, start=1):
            yield Ranked(response, float(rewards[row]), place)


@dataclass(frozen=True)
class Weighed:
    """A pair and by how much its chosen side is ahead; `weight` is P(chosen is preferred)."""

    pair: PreferencePair
    margin: float
    weight: float


def weigh(
    model: Rewards, pairs: Sequence[PreferencePair], exchanges: Mapping[str, Exchange]
) -> list[Weighed]:
    """Return the margin of every pair."""
    read = [texts_of_pair(pair, exchanges) for pair in pairs]
    ahead = model.reward([one.chosen for one in read])
    ahead = ahead - model.reward([one.rejected for one in read])
    chances = sigmoid(ahead)
    return [
        Weighed(pair, float(margin), float(weight))
        for pair, margin, weight in zip(pairs, ahead, chances, strict=True)
    ]


def low_margin(weighed: Weighed, least: float) -> Rejection | None:
    """Return why the pair is dropped, None if its margin is `least` or more."""
    if weighed.margin >= least:
        return None
    return Rejection(
        record_id=weighed.pair.id,
        stage=STAGE,
        reason="low_margin",
        detail=f"reward margin {weighed.margin:.3f}, at least {least:.3f} is kept",
        parents=weighed.pair.lineage.parents,
    )


def suggest(
    model: RewardModel, exchanges: Mapping[str, Exchange], responses: Sequence[Response]
) -> Iterator[Suggestion]:
    """Yield what the reward proposes as the rating of each response, for `select_annotations`.

    1, 2 or 3 is the third of the training texts in which its reward lies; the confidence is the
    probability that it is on its own side of their middle, 0.5 to 1: what is in doubt comes first.
    """
    low, high = model.facts_.terciles
    rewards = model.reward([text_of(exchanges[one.exchange_id], one) for one in responses])
    sure = np.maximum(
        sigmoid(rewards - model.facts_.middle), sigmoid(model.facts_.middle - rewards)
    )
    for response, reward, confidence in zip(responses, rewards, sure, strict=True):
        yield Suggestion(
            item_id=response.id,
            question="empathy",
            value=1 if reward < low else 3 if reward > high else 2,
            score=round(float(confidence), 4),
            agent=f"reward:{model.facts_.head}",
        )
