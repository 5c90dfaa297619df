"""`prototype`: a text is as good as the company it keeps.

Prototypes are places among the features. Each has a weight in the class of the preferred and one in
that of the others, u+ and u-; with squared distances d2 and a width tau

    s(x) = logsumexp_k(u+_k - d2_k / tau) - logsumexp_k(u-_k - d2_k / tau)
    r(x) = (1 - a) w.x + a s(x)

is the reward, in training as in use: no label enters it (the corrected form of Zhang et al. 2024,
ACL long.748, whose published code chooses the class by the label in training). Places come from all
texts, labelled or not; labels alone decide the weights. With few labels that is what
there is to gain: six weights are learned from few pairs, a hundred are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, Self

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads.base import Head, differences
from pipeline.reward_model.heads.linear import SOLVER, sigmoid
from pipeline.reward_model.heads.places import find_places, squared_distances

# Pairs after which what is left of the start of the mix above its end has fallen to a third.
ANNEAL_PAIRS = 500
# Odds of e to so much are certain; beyond that numbers overflow and nothing is learned.
MOST_WEIGHT = 40.0


class Prototype(Head):
    """`places` first prototypes, up to `added` more, weights held small by `l2`.

    `mix_end` is the share `a` of the prototypes in the end; with few pairs it is greater, 1 with
    none, and it falls as exp(-pairs / 500). It is fixed by training and saved. `init` takes the
    places from `all` texts, or per class from the `labelled` alone. `steps` > 0 then moves places
    by gradient, with dropout and a hinge that keeps them apart; dropout is of training alone.
    """

    name = "prototype"
    GRID: ClassVar = tuple(
        {"l2": l2, "mix_end": mix} for mix in (0.25, 1.0) for l2 in (0.01, 0.03, 0.003, 0.001)
    )

    def __init__(
        self,
        *,
        places: int = 6,
        added: int = 0,
        l2: float = 0.01,
        mix_end: float = 0.25,
        init: Literal["all", "labelled"] = "all",
        steps: int = 0,
        dropout: float = 0.1,
        diversity: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.places = places
        self.added = added
        self.l2 = l2
        self.mix_end = mix_end
        self.init = init
        self.steps = steps
        self.dropout = dropout
        self.diversity = diversity
        self.seed = seed

    @classmethod
    def at(cls, places: Array, width: float) -> Self:
        """Return prototypes at `places`, not weighted yet."""
        prototypes = cls()
        prototypes.places_, prototypes.width_ = places, width
        return prototypes

    @property
    def prototypes(self) -> int:
        """How many prototypes it holds."""
        return len(self.places_)

    def prepare(self, unlabelled: Array) -> Self:
        """Find the places that need no label."""
        if self.init == "all" and len(unlabelled):
            self._settle(unlabelled, None)
        return self

    def _settle(self, pool: Array, sides: tuple[Array, Array] | None) -> None:
        self.places_, self.width_ = find_places(
            pool, sides, count=self.places, added=self.added, seed=self.seed
        )
        # In units of the spread of their reward, so that l2 weighs both parts alike.
        self.spread_ = float(self.shares(pool).var(axis=0).sum()) or 1.0

    def fit(self, features: Array, pairs: PairRows, unlabelled: Array) -> Self:
        """Find places, then the weights of the two classes and of the features."""
        if self.init == "labelled":
            sides = features[pairs.chosen], features[pairs.rejected]
            self._settle(features[pairs.texts()], sides)
        elif not hasattr(self, "places_"):
            self._settle(unlabelled if len(unlabelled) else features[pairs.texts()], None)
        falling = float(np.exp(-len(pairs) / ANNEAL_PAIRS))
        self.mix_ = self.mix_end + (1 - self.mix_end) * falling
        self._fit_weights(features, pairs)
        if self.steps:
            from pipeline.reward_model.heads.refine import refine

            moved = refine(self, features, pairs)
            self.places_, self.class_weights_, self.direction_ = moved
        return self

    def _fit_weights(self, features: Array, pairs: PairRows) -> None:
        """Minimise the Bradley-Terry loss over class weights v (u+ = v/2 = -u-) and w, with L2."""
        from scipy.optimize import minimize

        rows = pairs.texts()
        sides = [np.searchsorted(rows, one) for one in (pairs.chosen, pairs.rejected)]
        near, apart = self._closeness(features[rows]), differences(features, pairs)
        count, mix, size, spread = len(self.places_), self.mix_, len(pairs), self.spread_

        def loss(values: Array) -> tuple[float, Array]:
            weights, linear = values[:count], values[count:]
            score, slope = _score(near, weights)
            margins = mix * (score[sides[0]] - score[sides[1]]) + (1 - mix) * (apart @ linear)
            pull = -sigmoid(-margins) / size
            won, lost = (np.bincount(side, pull, len(rows)) for side in sides)
            by_text = np.asarray(won - lost, dtype=np.float64)
            penalty = spread * weights @ weights + linear @ linear
            value = np.logaddexp(0, -margins).mean() + self.l2 / 2 * penalty
            gradient = np.concatenate(
                [
                    mix * slope(by_text) + self.l2 * spread * weights,
                    (1 - mix) * (pull @ apart) + self.l2 * linear,
                ]
            )
            return float(value), gradient

        start = np.zeros(count + features.shape[1])
        bounds = [(-MOST_WEIGHT, MOST_WEIGHT)] * count + [(None, None)] * features.shape[1]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=SOLVER)
        self.class_weights_, self.direction_ = found.x[:count], found.x[count:]

    def distances(self, features: Array) -> Array:
        """Return the squared distances (texts, prototypes), in widths."""
        return np.asarray(squared_distances(features, self.places_) / self.width_)

    def _closeness(self, features: Array) -> Array:
        """Return exp(-d2/tau) of each text and prototype, in parts of that of the nearest."""
        distances = self.distances(features)
        return np.asarray(np.exp(distances.min(axis=1, keepdims=True) - distances))

    def score(self, features: Array) -> Array:
        """Return the reward of each row."""
        by_place, _ = _score(self._closeness(features), self.class_weights_)
        return np.asarray(self.mix_ * by_place + (1 - self.mix_) * (features @ self.direction_))

    def shares(self, features: Array) -> Array:
        """Return how much of each row belongs to each prototype; a row sums to 1."""
        near = self._closeness(features)
        return np.asarray(near / near.sum(axis=1, keepdims=True))

    def state(self) -> dict[str, Array]:
        """Return places, width, weights and the mix."""
        return {
            "places": self.places_,
            "width": np.array([self.width_]),
            "class_weights": self.class_weights_,
            "direction": self.direction_,
            "mix": np.array([self.mix_]),
        }

    def restore(self, state: Mapping[str, Array]) -> Self:
        """Take what was learned from `state`."""
        self.places_, self.class_weights_ = state["places"], state["class_weights"]
        self.direction_ = state["direction"]
        self.width_, self.mix_ = float(state["width"][0]), float(state["mix"][0])
        return self


def _score(near: Array, weights: Array) -> tuple[Array, Callable[[Array], Array]]:
    """Return s(x) of each row, and the gradient in the weights of any weighted sum of them."""
    up = np.exp(weights / 2)
    better, worse = near @ up, near @ (1 / up)

    def slope(by_text: Array) -> Array:
        rise, fall = (by_text / better) @ near, (by_text / worse) @ near
        return np.asarray((up * rise + fall / up) / 2)

    return np.asarray(np.log(better) - np.log(worse)), slope
