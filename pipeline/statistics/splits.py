"""Random parts of a data set that keep groups, as dialogues, whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError

Groups = Sequence[str] | NDArray[np.str_]


@dataclass(frozen=True)
class Split:
    """Positions of training and test items; no group is on both sides."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


def grouped_splits(
    groups: Groups,
    *,
    count: int,
    test_share: float,
    seed: int,
    fixed: frozenset[str] = frozenset(),
) -> Iterator[Split]:
    """Yield `count` random splits by group; groups of `fixed` are in training every time.

    `test_share` is that of all groups. Raises PipelineError if fewer than two groups can move.
    """
    every = set(groups)
    movable = np.array(sorted(every - fixed))
    size = round(test_share * len(every))
    if len(movable) < 2 or not 0 < size < len(every) or size > len(movable):
        raise PipelineError(
            f"{len(movable)} dialogue(s) to split, {size} for testing\n"
            "At least two dialogues are needed, some on each side."
        )
    for number in range(count):
        chosen = np.random.default_rng((seed, number)).permutation(movable)[:size]
        test = np.isin(groups, chosen)
        yield Split(np.flatnonzero(~test), np.flatnonzero(test))


def held_out(groups: Groups, share: float, seed: int) -> NDArray[np.bool_]:
    """Return which items are in a random `share` of the groups, rounded down to whole groups."""
    names = np.unique(groups)
    chosen = np.random.default_rng(seed).permutation(names)[: int(share * len(names))]
    return np.isin(groups, chosen)


def fold_of_groups(groups: Groups, folds: int, seed: int) -> dict[str, int]:
    """Return the fold of each group, from 0; there are no more folds than groups."""
    names = np.unique(groups)
    order = np.random.default_rng(seed).permutation(len(names)) % folds
    return dict(zip(names.tolist(), order.tolist(), strict=True))
