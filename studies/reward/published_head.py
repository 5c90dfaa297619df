"""`published`: the recipe of Zhang et al. (2024, ACL long.748) as far as its code defines it.

A head gives each token a scalar; a prototype is a row of such scalars. In training a text is mixed
with the prototypes of its own class: **the label chooses them**. In use the class is guessed from
the 19 nearest. `score_as_trained` shows what the label adds; `score` never sees it. Departures: the
encoder is frozen, texts are 128 places (see `tokens`), a batch is 32 pairs, and dropout is switched
off in use, where the published code draws anew with every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads.base import Head
from studies.reward.tokens import PLACES, PROMPT_PLACES

if TYPE_CHECKING:
    import torch

BATCH_PAIRS = 32
# The published constants: 18 prototypes a class, each the mean of two pairs; 250 more at most; a
# tenth left out at random; the mix starts at one half and decays by batches of one pair.
FIRST = 18
PAIRS_EACH = 2
MOST_ADDED = 250
KEPT = 0.9
MIX, DECAY = 0.5, 8e-4
SIGMA, ALPHA = 5.0, 0.1
APART = 0.5
VOTERS = 19


class Published(Head):
    """`rate` is the step size of AdamW; one pass over the pairs, as published."""

    name = "published"
    GRID: ClassVar = tuple(
        {"rate": rate} for rate in (0.01, 0.03, 0.003, 0.001, 0.1, 0.0003, 0.05, 0.0001)
    )

    def __init__(self, *, rate: float = 0.01, seed: int = 0) -> None:
        self.rate = rate
        self.seed = seed

    @property
    def prototypes(self) -> int:
        """How many prototypes of both classes it holds."""
        return sum(len(one) for one in self.classes_)

    def fit(self, features: Array, pairs: PairRows, unlabelled: Array) -> Self:
        """Train the token head, and the prototypes as soon as there are 36 pairs behind them."""
        import torch

        del unlabelled
        random = np.random.default_rng(self.seed)
        head = torch.zeros(features.shape[1] // PLACES, requires_grad=True)
        optimiser = torch.optim.AdamW([head], lr=self.rate)
        order = random.permutation(len(pairs))
        classes: list[torch.Tensor] | None = None
        seen = 0
        for start in range(0, len(order), BATCH_PAIRS):
            part = pairs.take(order[start : start + BATCH_PAIRS])
            sides = [_rewards(features[one], head) for one in (part.chosen, part.rejected)]
            mix = min(MIX, float(np.exp(-DECAY * seen)))
            crowding = torch.zeros(())
            if classes is not None:
                kept = [one[_some(len(one), random)] for one in classes]
                mixed = [_mixed(side, kept[number], mix) for number, side in enumerate(sides)]
                crowding = sum((_crowding(one) for one in classes), crowding)
            else:
                mixed = sides
            loss = _loss(mixed, features, part) + crowding
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            seen += len(part)
            if classes is None and seen >= FIRST * PAIRS_EACH:
                classes = self._first(features, pairs.take(order[: FIRST * PAIRS_EACH]), head)
                for one in classes:
                    optimiser.add_param_group({"params": [one]})
            elif classes is not None:
                with torch.no_grad():
                    classes = [_added(one, side) for one, side in zip(classes, sides, strict=True)]
                optimiser.param_groups[1:] = []
                for one in classes:
                    one.requires_grad_(True)
                    optimiser.add_param_group({"params": [one]})
        self.head_ = head.detach().numpy().astype(np.float64)
        self.classes_ = [one.detach().numpy().astype(np.float64) for one in classes or ()]
        self.mix_ = min(MIX, float(np.exp(-DECAY * seen)))
        return self

    def _first(self, features: Array, pairs: PairRows, head: torch.Tensor) -> list[torch.Tensor]:
        import torch

        with torch.no_grad():
            sides = [_rewards(features[one], head) for one in (pairs.chosen, pairs.rejected)]
            means = [one.reshape(FIRST, PAIRS_EACH, PLACES).mean(1) for one in sides]
        return [one.clone().requires_grad_(True) for one in means]

    def score(self, features: Array) -> Array:
        """Return the reward at the last token, the class guessed by the nearest prototypes."""
        rewards = self._tokens(features)
        if not self.classes_:
            return _last(rewards, features)
        every = np.vstack(self.classes_)
        side = np.repeat([0, 1], [len(one) for one in self.classes_])
        distances = _distances(rewards, every)
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :VOTERS]
        guessed = (side[nearest].mean(axis=1) > 0.5).astype(int)
        mixed = np.empty_like(rewards)
        for number in (0, 1):
            inside = guessed == number
            mixed[inside] = self._with_class(rewards[inside], number)
        return _last(mixed, features)

    def score_as_trained(self, features: Array, *, chosen: bool) -> Array:
        """Return the reward with the class told, as in training: for comparison, never for use."""
        rewards = self._tokens(features)
        if self.classes_:
            rewards = self._with_class(rewards, 0 if chosen else 1)
        return _last(rewards, features)

    def _tokens(self, features: Array) -> Array:
        places = np.asarray(features, np.float32).reshape(len(features), PLACES, -1)
        return np.asarray(places @ self.head_.astype(np.float32), np.float64)

    def _with_class(self, rewards: Array, number: int) -> Array:
        from scipy.special import softmax

        shares = softmax(-_distances(rewards, self.classes_[number]), axis=1)
        return np.asarray(self.mix_ * (shares @ self.classes_[number]) + (1 - self.mix_) * rewards)

    def state(self) -> dict[str, Array]:
        """Return the token head, the prototypes of both classes and the mix."""
        empty = np.zeros((0, PLACES))
        better, worse = self.classes_ or (empty, empty)
        return {
            "head": self.head_,
            "better": better,
            "worse": worse,
            "mix": np.array([self.mix_]),
        }

    def restore(self, state: Mapping[str, Array]) -> Self:
        """Take what was learned from `state`."""
        self.head_, self.mix_ = state["head"], float(state["mix"][0])
        self.classes_ = [state["better"], state["worse"]] if len(state["better"]) else []
        return self


def _rewards(features: Array, head: torch.Tensor) -> torch.Tensor:
    import torch

    places = torch.tensor(np.asarray(features, np.float32))
    return places.reshape(len(features), PLACES, -1) @ head


def _mixed(rewards: torch.Tensor, prototypes: torch.Tensor, mix: float) -> torch.Tensor:
    import torch

    shares = torch.softmax(-torch.cdist(rewards, prototypes), 1)
    return mix * (shares @ prototypes) + (1 - mix) * rewards


def _ends(features: Array) -> Any:
    """Return the place after the last token of each text."""
    places = np.asarray(features).reshape(len(features), PLACES, -1)
    filled = np.abs(places[:, :, 0]) > 0
    return PLACES - filled[:, ::-1].argmax(axis=1)


def _last(rewards: Array, features: Array) -> Array:
    return np.asarray(rewards[np.arange(len(rewards)), _ends(features) - 1])


def _loss(sides: list[torch.Tensor], features: Array, part: PairRows) -> torch.Tensor:
    """Return the mean over the answer's tokens, to the end of the longer side."""
    import torch

    ends = np.maximum(_ends(features[part.chosen]), _ends(features[part.rejected]))
    counted = np.arange(PLACES)[None, :] < ends[:, None]
    counted[:, :PROMPT_PLACES] = False
    inside = torch.tensor(counted, dtype=sides[0].dtype)
    losses = torch.nn.functional.softplus(sides[1] - sides[0])
    return ((losses * inside).sum(1) / inside.sum(1)).mean()


def _crowding(prototypes: torch.Tensor) -> torch.Tensor:
    import torch

    hinge = torch.relu(APART - torch.pdist(prototypes))
    return hinge.sum() / torch.clamp((hinge > 0).sum(), min=1)


def _some(count: int, random: np.random.Generator) -> Any:
    return random.permutation(count)[: max(int(KEPT * count), 1)]


def _added(prototypes: torch.Tensor, rewards: torch.Tensor) -> torch.Tensor:
    """Add the rewards of texts that are farther than lambda from all, up to the cap."""
    import torch

    spread = float(prototypes.var(dim=0).mean())
    limit = -2 * SIGMA * np.log(ALPHA) + PLACES * SIGMA * np.log(1 + spread / SIGMA)
    far = torch.cdist(rewards, prototypes).min(1).values > limit
    room = FIRST + MOST_ADDED // 2 - len(prototypes)
    return torch.cat([prototypes, rewards[far][: max(room, 0)]])


def _distances(rewards: Array, prototypes: Array) -> Array:
    from pipeline.reward_model.heads.places import squared_distances

    return np.asarray(np.sqrt(squared_distances(rewards, prototypes)))
