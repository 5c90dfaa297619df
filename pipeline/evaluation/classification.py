"""Measures of three-class predictions, and what repeated splits say about them.

Accuracy and macro-F1 go from 0 to 1; quadratic weighted kappa from -1 over 0 (chance) to 1;
calibration error from 0 (probabilities mean what they say) to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError
from pipeline.features.table import Array
from pipeline.scoring.rated import CLASSES, Labels
from pipeline.scoring.scorer import spread

BINS = 10


class EvaluationError(PipelineError):
    """There is not enough to evaluate on."""


@dataclass(frozen=True)
class Predictions:
    """Labels, and probabilities (items, 3) of the classes 1, 2 and 3; rows sum to 1."""

    labels: Labels
    probabilities: Array

    @classmethod
    def of(cls, probabilities: Array, classes: tuple[int, ...]) -> Predictions:
        """Order the columns as 1, 2, 3; a class that training did not have gets 0."""
        whole = spread(probabilities, classes)
        return cls(np.array(CLASSES)[whole.argmax(axis=1)], whole)


def accuracy(truth: Labels, found: Predictions) -> float:
    """Return the share of items whose label is right."""
    return float(np.mean(truth == found.labels))


def macro_f1(truth: Labels, found: Predictions) -> float:
    """Return the mean F1 of the classes that occur on either side."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth, found.labels, average="macro", zero_division=0))


def weighted_kappa(truth: Labels, found: Predictions) -> float:
    """Return the quadratic weighted kappa; 0 where only one label is ever given."""
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(truth, found.labels, labels=CLASSES).astype(float)
    penalty = np.subtract.outer(np.arange(len(CLASSES)), np.arange(len(CLASSES))) ** 2
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    expected = float((penalty * chance).sum())
    return 1 - float((penalty * counts).sum()) / expected if expected else 0.0


def calibration_error(truth: Labels, found: Predictions) -> float:
    """Return the mean gap between confidence and accuracy over ten bins of equal width."""
    confidence = found.probabilities.max(axis=1)
    right = truth == found.labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(float(confidence[bins == one].sum() - right[bins == one].sum())) for one in range(BINS)
    ]
    return sum(gaps) / len(truth)


MEASURES: dict[str, Callable[[Labels, Predictions], float]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "qwk": weighted_kappa,
    "calibration_error": calibration_error,
}


def confusion(truth: Labels, found: Predictions) -> list[list[int]]:
    """Return counts: rows are the true classes 1 to 3, columns the predicted ones."""
    from sklearn.metrics import confusion_matrix

    counts: list[list[int]] = confusion_matrix(truth, found.labels, labels=CLASSES).tolist()
    return counts


@dataclass(frozen=True)
class Split:
    """Positions of training and test items; no group is on both sides."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


def grouped_splits(
    groups: Sequence[str],
    *,
    count: int,
    test_share: float,
    seed: int,
    fixed: frozenset[str] = frozenset(),
) -> Iterator[Split]:
    """Yield `count` random splits by group; groups of `fixed` are in training every time.

    `test_share` is that of all groups. Raises EvaluationError if fewer than two groups can move.
    """
    names = np.array(groups)
    movable = np.array(sorted(set(groups) - fixed))
    size = round(test_share * len(set(groups)))
    if len(movable) < 2 or not 0 < size < len(set(groups)) or size > len(movable):
        raise EvaluationError(
            f"{len(movable)} dialogue(s) to split, {size} for testing\n"
            "At least two dialogues are needed, some on each side."
        )
    for number in range(count):
        chosen = np.random.default_rng((seed, number)).permutation(movable)[:size]
        test = np.isin(names, chosen)
        yield Split(np.flatnonzero(~test), np.flatnonzero(test))


@dataclass(frozen=True)
class Estimate:
    """A mean over splits with its 95% interval."""

    mean: float
    ci: tuple[float, float]
    splits: int

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON has it, rounded to five digits."""
        return {
            **asdict(self),
            "mean": round(self.mean, 5),
            "ci": [round(end, 5) for end in self.ci],
        }


def estimate(values: Sequence[float], *, test_over_train: float) -> Estimate:
    """Return mean and 95% interval of a measure, or of a difference, over random splits.

    Splits share items, so their spread alone understates the doubt: the variance is multiplied by
    1/n + test/train (Nadeau and Bengio 2003), with n - 1 degrees of freedom.
    """
    from scipy.stats import t

    count = len(values)
    if count < 2:
        raise EvaluationError("an interval needs at least two splits")
    mean, variance = float(np.mean(values)), float(np.var(values, ddof=1))
    half = float(t.ppf(0.975, count - 1)) * np.sqrt(variance * (1 / count + test_over_train))
    return Estimate(mean, (float(mean - half), float(mean + half)), count)


def p_value(differences: Sequence[float], *, test_over_train: float) -> float:
    """Return the two-sided p of the corrected resampled t-test that the mean difference is 0."""
    from scipy.stats import t

    count, variance = len(differences), float(np.var(differences, ddof=1))
    if variance == 0:
        return 1.0 if np.mean(differences) == 0 else 0.0
    ratio = float(np.mean(differences)) / np.sqrt(variance * (1 / count + test_over_train))
    return float(2 * t.sf(abs(ratio), count - 1))


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share of `count` independent items."""
    z = 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return middle - half, middle + half
