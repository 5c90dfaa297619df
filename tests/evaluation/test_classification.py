from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.classification import (
    Predictions,
    accuracy,
    calibration_error,
    weighted_kappa,
)

TRUTH = np.array([1, 2, 3, 3])


def said(*labels: int) -> Predictions:
    return Predictions.of(np.eye(3)[np.array(labels) - 1], (1, 2, 3))


def test_kappa_is_one_for_agreement_and_nought_for_one_label_throughout() -> None:
    assert weighted_kappa(TRUTH, said(1, 2, 3, 3)) == pytest.approx(1)
    assert weighted_kappa(TRUTH, said(3, 3, 3, 3)) == pytest.approx(0)


def test_kappa_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score

    found = said(1, 3, 2, 3)

    assert weighted_kappa(TRUTH, found) == pytest.approx(
        cohen_kappa_score(TRUTH, found.labels, weights="quadratic")
    )


def test_being_sure_and_wrong_is_the_worst_calibration() -> None:
    assert calibration_error(TRUTH, said(1, 2, 3, 3)) == 0
    assert calibration_error(TRUTH, said(2, 3, 1, 1)) == 1


def test_a_class_that_training_did_not_have_gets_no_probability() -> None:
    found = Predictions.of(np.array([[0.4, 0.6]]), (1, 3))

    assert found.probabilities.tolist() == [[0.4, 0.0, 0.6]]
    assert found.labels.tolist() == [3]
    assert accuracy(np.array([3]), found) == 1
