from __future__ import annotations

import numpy as np
import pytest

from pipeline.statistics.calibration import (
    best_temperature,
    calibration_error,
    margin_calibration_error,
    wins,
)


def test_being_sure_is_worth_what_comes_true() -> None:
    sure = np.full(8, 0.75)

    assert calibration_error(sure, [1, 1, 1, 0] * 2) == pytest.approx(0)
    assert calibration_error(sure, [0] * 8) == pytest.approx(0.75)


def test_bins_between_the_least_confidence_and_one_do_not_mix() -> None:
    """0.55 and 0.58 are one bin of ten from 0 to 1, and two bins of ten from 0.5 to 1."""
    sure, right = np.array([0.52, 0.58]), [1, 0]

    assert calibration_error(sure, right) == pytest.approx(0.05)
    assert calibration_error(sure, right, lowest=0.5) == pytest.approx(0.53)


def test_a_tie_counts_one_half() -> None:
    assert wins(np.array([0.2, 0.0, -0.1])).tolist() == [1, 0.5, 0]


def test_margins_that_come_true_are_calibrated() -> None:
    ahead = np.repeat(np.log(3.0), 4) * [1, 1, 1, -1]

    assert margin_calibration_error(ahead) == pytest.approx(0, abs=1e-9)
    assert margin_calibration_error(20 * ahead) == pytest.approx(0.25, abs=1e-6)


def test_scores_that_are_too_sure_are_cooled() -> None:
    scores = np.array([[8.0, 0.0]] * 4)

    assert best_temperature(scores, np.array([0, 0, 0, 1]), np.array([0.5, 1.0, 8.0])) == 8
    assert best_temperature(scores[:0], np.array([], dtype=int), np.array([0.5])) == 1
