"""Prototypes that move: places and weights by gradient, with dropout and a hinge of diversity.

On the real pairs this fitted the few labels and not the next ones, so it is off by default
(`steps: 0`); it is what the ablations are measured on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows

if TYPE_CHECKING:
    import torch

STEP = 0.02
# Places are means of many texts and move more slowly than weights.
PLACE_STEP = 0.002
# Two places nearer than this to each other (in widths) push each other away.
APART = 0.5


class Fitted(Protocol):
    """What of fitted prototypes moves, and how far."""

    places_: Array
    class_weights_: Array
    direction_: Array
    width_: float
    spread_: float
    mix_: float
    steps: int
    dropout: float
    diversity: float
    l2: float
    seed: int


def refine(head: Fitted, features: Array, pairs: PairRows) -> tuple[Array, Array, Array]:
    """Return the places, weights and direction of `head` after `head.steps` steps more.

    The reward is the formula that is used later; of the prototypes a random share `head.dropout` is
    left out in each step.
    """
    import torch

    rows = pairs.texts()
    seen = torch.tensor(features[rows])
    better = torch.tensor(np.searchsorted(rows, pairs.chosen))
    worse = torch.tensor(np.searchsorted(rows, pairs.rejected))
    places = torch.tensor(head.places_, requires_grad=True)
    weights = torch.tensor(head.class_weights_, requires_grad=True)
    linear = torch.tensor(head.direction_, requires_grad=True)
    slow = {"params": [places], "lr": PLACE_STEP}
    optimiser = torch.optim.Adam([{"params": [weights, linear], "lr": STEP}, slow])
    random = np.random.default_rng(head.seed)
    for _ in range(head.steps):
        kept = random.random(len(head.places_)) >= head.dropout
        kept[random.integers(len(kept))] = True
        optimiser.zero_grad()
        mask = torch.tensor(kept)
        near = -torch.cdist(seen, places[mask]).square() / head.width_
        half = weights[mask] / 2
        by_place = torch.logsumexp(near + half, 1) - torch.logsumexp(near - half, 1)
        reward = head.mix_ * by_place + (1 - head.mix_) * (seen @ linear)
        loss = torch.nn.functional.softplus(reward[worse] - reward[better]).mean()
        penalty = head.spread_ * weights.square().sum() + linear.square().sum()
        loss = loss + head.l2 / 2 * penalty + head.diversity * _crowding(places, head.width_)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    moved = (part.detach().numpy().copy() for part in (places, weights, linear))
    return next(moved), next(moved), next(moved)


def _crowding(places: torch.Tensor, width: float) -> torch.Tensor:
    """Return the mean hinge over places that are too near to each other, 0 if none is."""
    import torch

    if len(places) < 2:
        return places.sum() * 0
    hinge = torch.relu(APART - torch.pdist(places) / width**0.5)
    return hinge.sum() / torch.clamp((hinge > 0).sum(), min=1)
