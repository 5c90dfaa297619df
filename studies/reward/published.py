"""The published recipe beside ours, and what its look at the label is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads.base import Head
from pipeline.reward_model.learning_curve import CurveData, Fit, subset
from pipeline.reward_model.tuning import log_losses
from pipeline.statistics.bootstrap import crossed_interval
from pipeline.statistics.calibration import wins
from studies.reward.data import Welivita
from studies.reward.published_head import Published
from studies.reward.tokens import token_places

FRACTION = 0.2


def published_data(welivita: Welivita, data: CurveData) -> CurveData:
    """Return `data` with token embeddings for features."""
    return replace(data, features=token_places(welivita.texts.texts))


def published_fit(data: CurveData, fraction: float) -> Fit:
    """Return how to fit it: the step size is searched in the first draw and kept for the others.

    The search is over as many settings as any other model's, on a third of the groups held out.
    """
    part = subset(data.train, fraction, 0)
    names = np.random.default_rng(1).permutation(np.unique(part.groups))
    inside = np.isin(part.groups, names[: max(len(names) // 3, 1)])
    losses = []
    for settings in Published.GRID:
        head = Published(**settings).fit(data.features, part.take(~inside), data.features[:0])
        losses.append(float(log_losses(_rewards(head, data, part), part.take(inside)).mean()))
    best = Published.GRID[int(np.argmin(losses))]

    def fit(
        features: Array, pairs: PairRows, unlabelled: Array, seed: int
    ) -> tuple[Head, dict[str, Any]]:
        head = Published(**best, seed=seed)
        return head.fit(features, pairs, unlabelled), dict(best)

    return fit


def _rewards(head: Published, data: CurveData, part: PairRows) -> Array:
    rewards = np.zeros(len(data.features))
    rows = part.texts()
    rewards[rows] = head.score(data.features[rows])
    return rewards


def mismatch(welivita: Welivita, seeds: int) -> dict[str, Any]:
    """Return its accuracy on test pairs as it is used and as it is trained, with the label told."""
    data = published_data(
        welivita,
        welivita.texts.curve("welivita2024 papers", welivita.papers_train, welivita.papers_test),
    )
    fit = published_fit(data, FRACTION)
    used, told, agreement = [], [], []
    sides = [data.features[one] for one in (data.test.chosen, data.test.rejected)]
    for seed in range(seeds):
        head, _ = fit(data.features, subset(data.train, FRACTION, seed), data.features[:0], seed)
        if not isinstance(head, Published):
            raise TypeError(type(head))
        plain = [head.score(one) for one in sides]
        known = [head.score_as_trained(sides[0], chosen=True)]
        known.append(head.score_as_trained(sides[1], chosen=False))
        used.append(wins(plain[0] - plain[1]))
        told.append(wins(known[0] - known[1]))
        agreement.append(float(np.mean(np.abs(np.hstack(plain) - np.hstack(known)) < 1e-6)))
    groups = data.test.groups.tolist()
    return {
        "data": data.name,
        "fraction": FRACTION,
        "seeds": seeds,
        "test_pairs": len(data.test),
        **{
            name: {
                "accuracy": round(float(np.mean(values)), 4),
                "ci": [round(end, 4) for end in crossed_interval(np.stack(values), groups)],
            }
            for name, values in (
                ("as it is used", used),
                ("as it is trained, the label told", told),
                ("what the label adds", [one - two for one, two in zip(told, used, strict=True)]),
            )
        },
        "texts_with_equal_reward_both_ways": round(float(np.mean(agreement)), 4),
    }
