"""Measures of three-class predictions.

Accuracy and macro-F1 go from 0 to 1; quadratic weighted kappa from -1 over 0 (chance) to 1;
calibration error from 0 (probabilities mean what they say) to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.errors import PipelineError
from pipeline.features.table import Array
from pipeline.scoring.rated import CLASSES, Labels
from pipeline.scoring.scorer import spread
from pipeline.statistics import calibration


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
    from sklearn.metrics import cohen_kappa_score

    return float(
        cohen_kappa_score(
            truth, found.labels, labels=CLASSES, weights="quadratic", replace_undefined_by=0.0
        )
    )


def calibration_error(truth: Labels, found: Predictions) -> float:
    """Return how far the probability of the label is from the share that is right."""
    return calibration.calibration_error(found.probabilities.max(axis=1), truth == found.labels)


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
