"""Whether probabilities mean what they say, and the temperature that makes them do so."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.statistics.bootstrap import Floats

BINS = 10


def calibration_error(confidence: Floats, right: ArrayLike, *, lowest: float = 0.0) -> float:
    """Return the mean gap between confidence and accuracy over ten bins of equal width.

    0 is calibrated, 1 is sure and wrong. `right` is 1, 0 or, for a tie, one half; the bins go from
    `lowest`, the least confidence that there can be, to 1. Naeini et al. (2015).
    """
    right = np.asarray(right, dtype=np.float64)
    bins = np.minimum(((confidence - lowest) / (1 - lowest) * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, confidence - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))


def margin_calibration_error(margins: Floats) -> float:
    """Return the calibration error of pairs, 0 to 0.5, from by how much their better side is ahead.

    The confidence in the side that is ahead is the sigmoid of the margin.
    """
    from scipy.special import expit

    return calibration_error(expit(np.abs(margins)), wins(margins), lowest=0.5)


def wins(margins: Floats) -> Floats:
    """Return 1 for each pair whose better side is ahead, one half for a tie, else 0."""
    return np.asarray((np.sign(margins) + 1) / 2)


def best_temperature(scores: Floats, truth: NDArray[np.intp], temperatures: Floats) -> float:
    """Return the temperature at which held-out labels are most likely; it moves no label.

    `scores` (items, classes) are logarithms; `truth` holds the place of each item's class. 1 if
    there is no item. Guo et al. (2017).
    """
    from scipy.special import log_softmax

    rows = np.arange(len(truth))
    losses = [-log_softmax(scores / one, axis=1)[rows, truth].sum() for one in temperatures]
    return float(temperatures[int(np.argmin(losses))]) if len(truth) else 1.0
