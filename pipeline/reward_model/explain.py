"""Why a text has its reward: the prototypes nearest to it, with training examples behind them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.reward_model.heads.prototype import Prototype
from pipeline.reward_model.model import Example, RewardModel
from pipeline.reward_model.texts import Text


@dataclass(frozen=True)
class Near:
    """One prototype beside a text.

    `distance` is squared, in widths; `share` is how much of the text belongs here, 0 to 1;
    `worth` is the mean reward of the training texts here, `examples` the nearest judged ones.
    """

    prototype: int
    distance: float
    share: float
    worth: float
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Explanation:
    """A reward and its parts: `by_prototypes` and `by_features` add up to it.

    It `stands` in the low, middle or high third of the training texts.
    """

    reward: float
    by_prototypes: float
    by_features: float
    stands: str
    nearest: tuple[Near, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **asdict(self),
            "nearest": [
                {**asdict(one), "examples": [two.model_dump() for two in one.examples]}
                for one in self.nearest
            ],
        }


def explain(model: RewardModel, text: Text, *, nearest: int = 3) -> Explanation:
    """Return the reward of `text` with its parts.

    Of a model without prototypes nothing is `by_prototypes`: those shown are places among its
    training texts, and say who the text's neighbours are.
    """
    head, places = model.fitted_, model.places_
    features = model.features([text])
    reward = float(head.score(features)[0])
    linear = reward
    if isinstance(head, Prototype):
        linear = float((1 - head.mix_) * (features @ head.direction_)[0])
    distances, shares = places.distances(features)[0], places.shares(features)[0]
    low, high = model.facts_.terciles
    return Explanation(
        reward=reward,
        by_prototypes=reward - linear,
        by_features=linear,
        stands="low" if reward < low else "high" if reward > high else "middle",
        nearest=tuple(
            Near(
                prototype=int(number),
                distance=float(distances[number]),
                share=float(shares[number]),
                worth=model.facts_.worth[number],
                examples=model.facts_.examples[number],
            )
            for number in np.argsort(distances, kind="stable")[:nearest]
        ),
    )
