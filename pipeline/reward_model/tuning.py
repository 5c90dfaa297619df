"""The search for a head's settings inside the labelled pairs; every head tries as many."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads import HEADS, Head, build_head

FOLDS = 3
# Under so many pairs or groups a fold says nothing, and the first settings are taken.
LEAST_PAIRS = 40
LEAST_GROUPS = 6
# A search looks at no more pairs than this: more of them change no choice among eight.
MOST_PAIRS = 1500


def fit_tuned(
    name: str,
    features: Array,
    pairs: PairRows,
    unlabelled: Array,
    *,
    seed: int,
    fixed: Mapping[str, Any] | None = None,
) -> tuple[Head, dict[str, Any]]:
    """Return the head with the best settings, fitted on all of `pairs`, and those settings.

    Best is the least log loss on held-out groups of `pairs`. `fixed` settings are not searched.
    """
    fixed = dict(fixed or {})
    seeded = {"seed": seed} if name == "prototype" else {}
    head = build_head(name, {**seeded, **fixed}).prepare(unlabelled)
    grid = []
    for one in HEADS[name].GRID:
        settings = {key: value for key, value in one.items() if key not in fixed}
        if settings not in grid:
            grid.append(settings)
    best = grid[0]
    if (
        len(grid) > 1
        and len(pairs) >= LEAST_PAIRS
        and len(set(pairs.groups.tolist())) >= LEAST_GROUPS
    ):
        best = grid[_best(head, grid, features, pairs, unlabelled, seed)]
    return _with(head, best).fit(features, pairs, unlabelled), {**fixed, **best}


def _best(
    head: Head,
    grid: list[dict[str, Any]],
    features: Array,
    pairs: PairRows,
    unlabelled: Array,
    seed: int,
) -> int:
    names = np.random.default_rng((seed, 1)).permutation(np.unique(pairs.groups))
    share = min(MOST_PAIRS / len(pairs), 1.0)
    names = names[: max(round(share * len(names)), FOLDS)]
    pairs = pairs.take(np.isin(pairs.groups, names))
    losses = np.zeros(len(grid))
    for held in np.array_split(names, FOLDS):
        inside = np.isin(pairs.groups, held)
        for number, settings in enumerate(grid):
            tried = _with(head, settings).fit(features, pairs.take(~inside), unlabelled)
            losses[number] += log_losses(tried.score(features), pairs.take(inside)).sum()
    return int(np.argmin(losses))


def _with(head: Head, settings: Mapping[str, Any]) -> Head:
    changed = copy(head)
    vars(changed).update(settings)
    return changed


def margins(rewards: Array, pairs: PairRows) -> Array:
    """Return by how much the preferred side is ahead."""
    return np.asarray(rewards[pairs.chosen] - rewards[pairs.rejected])


def log_losses(rewards: Array, pairs: PairRows) -> Array:
    """Return -log P(preferred side) of each pair; log 2 is chance."""
    return np.asarray(np.logaddexp(0, -margins(rewards, pairs)))
