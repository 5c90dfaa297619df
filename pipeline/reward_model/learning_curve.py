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
from pipeline.reward_model.tuning import fit_tuned, margins
from pipeline.statistics.bootstrap import crossed_interval
from pipeline.statistics.calibration import margin_calibration_error, wins

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
        train_accuracy=float(wins(margins(rewards, part)).mean()),
        pairs=len(part),
        seconds=seconds,
        prototypes=head.prototypes,
    )


def curve_rows(
    data: CurveData, trained: Mapping[str, Sequence[Trained]], fraction: float, against: str
) -> list[dict[str, Any]]:
    """Return one row per model: accuracy with its interval, and the difference to `against`."""
    rows = []
    base = np.stack([wins(one.margins) for one in trained[against]])
    for model, runs in trained.items():
        ahead = np.stack([one.margins for one in runs])
        right = wins(ahead)
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
            "calibration_error": _rounded(
                np.mean([margin_calibration_error(one) for one in ahead])
            ),
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
    return [_rounded(end) for end in crossed_interval(values, test.groups.tolist())]


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
