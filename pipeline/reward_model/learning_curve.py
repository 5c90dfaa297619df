"""How well reward models prefer as people do, by the number of labels they were given.

All models learn from the same pairs: whole groups in a seeded order, until there are enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows, Rows
from pipeline.reward_model.heads import Head
from pipeline.reward_model.heads.linear import sigmoid
from pipeline.reward_model.tuning import fit_tuned, margins

RESAMPLES = 2000
BINS = 10

# Fits a model on pairs, given features, unlabelled features and a seed.
Fit = Callable[[Array, PairRows, Array, int], tuple[Head, dict[str, Any]]]


@dataclass(frozen=True)
class CurveData:
    """Features of all texts, pairs to learn from and to test on, and rows that need no label."""

    name: str
    features: Array
    train: PairRows
    test: PairRows
    unlabelled: Rows


@dataclass(frozen=True)
class Variant:
    """A model of the curve: a head by name with what is fixed of its settings."""

    label: str
    head: str
    fixed: Mapping[str, Any]

    def fit(
        self, features: Array, pairs: PairRows, unlabelled: Array, seed: int
    ) -> tuple[Head, dict[str, Any]]:
        """Search and fit inside `pairs`."""
        return fit_tuned(self.head, features, pairs, unlabelled, seed=seed, fixed=self.fixed)


@dataclass(frozen=True)
class Trained:
    """One model on one subset: margins on the test pairs and what it cost."""

    margins: Array
    train_accuracy: float
    pairs: int
    seconds: float
    prototypes: int


def subset(pairs: PairRows, fraction: float, seed: int) -> PairRows:
    """Return `fraction` of `pairs`, whole groups first to last in an order that `seed` draws."""
    wanted = max(round(fraction * len(pairs)), 1)
    if wanted >= len(pairs):
        return pairs
    names, place = np.unique(pairs.groups, return_inverse=True)
    rank = np.random.default_rng((seed, 0)).permutation(len(names))[place]
    return pairs.take(np.argsort(rank, kind="stable")[:wanted])


def train_on(data: CurveData, fit: Fit, fraction: float, seed: int) -> Trained:
    """Fit on a part of the training pairs, and prefer on all test pairs."""
    part = subset(data.train, fraction, seed)
    started = time.process_time()
    head, _ = fit(data.features, part, data.features[data.unlabelled], seed)
    seconds = time.process_time() - started
    asked = np.union1d(part.texts(), data.test.texts())
    rewards = np.zeros(len(data.features))
    rewards[asked] = head.score(data.features[asked])
    return Trained(
        margins=margins(rewards, data.test),
        train_accuracy=float(correct(margins(rewards, part)).mean()),
        pairs=len(part),
        seconds=seconds,
        prototypes=head.prototypes,
    )


def correct(ahead: Array) -> Array:
    """Return 1 where the preferred side is ahead, one half for a tie, else 0."""
    return np.asarray((ahead > 0) + 0.5 * (ahead == 0))


def calibration_error(ahead: Array) -> float:
    """Return how far the stated confidence is from the share that is right, 0 to 0.5.

    The mean over ten bins of the confidence, 0.5 to 1, weighted by their pairs.
    """
    sure = sigmoid(np.abs(ahead))
    place = np.minimum(((sure - 0.5) * 2 * BINS).astype(int), BINS - 1)
    right = correct(ahead)
    gaps = [
        abs(sure[place == one].mean() - right[place == one].mean()) * (place == one).mean()
        for one in np.unique(place)
    ]
    return float(sum(gaps))


def interval(right: Array, groups: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean of `right` (seeds, pairs).

    Seeds and groups of test pairs are drawn with replacement, both at once. For a paired difference
    give the difference of two models' values: each draw then holds both models.
    """
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.stack([np.bincount(place, row, minlength=len(names)) for row in right])
    sizes = np.bincount(place, minlength=len(names)).astype(np.float64)
    random = np.random.default_rng(seed)
    by_seed = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES)
    by_group = random.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    totals = np.einsum("rs,sg,rg->r", by_seed, sums, by_group, optimize=True)
    means = totals / (len(sums) * (by_group @ sizes))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def curve_rows(
    data: CurveData, trained: Mapping[str, Sequence[Trained]], fraction: float, against: str
) -> list[dict[str, Any]]:
    """Return one row per model: accuracy with its interval, and the difference to `against`."""
    rows = []
    base = np.stack([correct(one.margins) for one in trained[against]])
    for model, runs in trained.items():
        ahead = np.stack([one.margins for one in runs])
        right = correct(ahead)
        row: dict[str, Any] = {
            "data": data.name,
            "model": model,
            "fraction": fraction,
            "pairs": runs[0].pairs,
            "test_pairs": len(data.test),
            "seeds": len(runs),
            "accuracy": _rounded(right.mean()),
            "ci": _span(right, data.test),
            "log_loss": _rounded(np.logaddexp(0, -ahead).mean()),
            "calibration_error": _rounded(np.mean([calibration_error(one) for one in ahead])),
            "train_accuracy": _rounded(np.mean([one.train_accuracy for one in runs])),
            "fit_s": round(float(np.mean([one.seconds for one in runs])), 3),
            "prototypes": round(float(np.mean([one.prototypes for one in runs])), 1),
        }
        if model != against:
            row["paired_difference"] = _rounded((right - base).mean())
            row["paired_ci"] = _span(right - base, data.test)
        rows.append(row)
    return rows


def _span(values: Array, test: PairRows) -> list[float]:
    return [_rounded(end) for end in interval(values, test.groups.tolist())]


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
