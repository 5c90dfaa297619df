"""How often a model prefers the chosen side of held-out pairs, by its own log-probabilities.

DPO's implicit reward of a reply is beta times the log-probability that the model gives it less the
one its reference gives it (Rafailov et al. 2023); beta moves no comparison and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.classification import EvaluationError
from pipeline.features.table import Array
from pipeline.statistics.bootstrap import RESAMPLES, interval, mean_of
from pipeline.statistics.calibration import wins
from pipeline.statistics.intervals import share_interval


@dataclass(frozen=True)
class PairLogProbs:
    """Summed log-probabilities of both sides, one entry per pair, in nats."""

    chosen: Array
    rejected: Array

    def __post_init__(self) -> None:
        if self.chosen.shape != self.rejected.shape or self.chosen.ndim != 1:
            raise EvaluationError(
                f"log-probabilities: {self.chosen.shape} chosen, {self.rejected.shape} rejected\n"
                "One number per pair and side is needed."
            )
        if not (np.isfinite(self.chosen).all() and np.isfinite(self.rejected).all()):
            raise EvaluationError("log-probabilities: one is not a finite number\nMake them again.")


@dataclass(frozen=True)
class PreferenceAccuracy:
    """Share of pairs whose chosen side has the greater implicit reward; equal ones count half."""

    value: float
    ci: tuple[float, float]
    pairs: int


@dataclass(frozen=True)
class Difference:
    """How much more often one model prefers the chosen side than another, on the same pairs."""

    value: float
    ci: tuple[float, float] | None
    dialogues: int


def prefers_chosen(model: PairLogProbs, reference: PairLogProbs) -> Array:
    """Return 1 per pair whose chosen side has the greater implicit reward, 0.5 if both are equal.

    Raises EvaluationError without a pair, or if model and reference saw different pairs.
    """
    if len(model.chosen) != len(reference.chosen) or not len(model.chosen):
        raise EvaluationError(
            f"log-probabilities: {len(model.chosen)} pairs of the model, "
            f"{len(reference.chosen)} of its reference\nBoth need the same pairs, one at least."
        )
    return wins((model.chosen - reference.chosen) - (model.rejected - reference.rejected))


def preference_accuracy(
    preferred: Array, dialogues: Sequence[str], *, seed: int, resamples: int = RESAMPLES
) -> PreferenceAccuracy:
    """Return the accuracy with its 95% interval; dialogues are drawn whole."""
    ci = share_interval(preferred.tolist(), dialogues, seed=seed, resamples=resamples)
    return PreferenceAccuracy(float(preferred.mean()), ci, len(preferred))


def accuracy_difference(
    one: Array, other: Array, dialogues: Sequence[str], *, seed: int, resamples: int = RESAMPLES
) -> Difference:
    """Return how much more often the first prefers the chosen side, paired by pair.

    Where the two agree on every pair there is no interval: a bootstrap sees no spread, and would
    be certain.
    """
    if len(one) != len(other):
        raise EvaluationError(f"preferences: {len(one)} and {len(other)} pairs are not the same")
    ahead = one - other
    ci = None
    if np.ptp(ahead):
        ci = interval(mean_of(ahead), seed=seed, clusters=dialogues, resamples=resamples)
    return Difference(float(ahead.mean()), ci, len(set(dialogues)))
