from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.classification import (
    EvaluationError,
    Predictions,
    accuracy,
    calibration_error,
    estimate,
    grouped_splits,
    p_value,
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


def test_no_dialogue_is_on_both_sides_and_fixed_ones_are_never_tested() -> None:
    groups = [f"d{number // 3}" for number in range(90)]
    fixed = frozenset({"d0", "d1", "d2"})

    for split in grouped_splits(groups, count=20, test_share=0.2, seed=1, fixed=fixed):
        test = {groups[place] for place in split.test}
        assert len(test) == 6
        assert test.isdisjoint({groups[place] for place in split.train} | fixed)


def test_one_dialogue_cannot_be_split() -> None:
    with pytest.raises(EvaluationError, match=r"1 dialogue\(s\) to split"):
        next(grouped_splits(["d1"] * 5, count=2, test_share=0.2, seed=1))


def test_the_interval_is_wider_than_that_of_independent_splits() -> None:
    values = [0.48, 0.5, 0.52, 0.5]
    apart = estimate(values, test_over_train=0.0)
    shared = estimate(values, test_over_train=0.25)

    assert shared.mean == apart.mean == pytest.approx(0.5)
    assert shared.ci[0] < apart.ci[0] < apart.ci[1] < shared.ci[1]


def test_a_difference_that_every_split_shows_is_told_from_one_that_comes_and_goes() -> None:
    assert p_value([0.05, 0.06, 0.05, 0.04] * 5, test_over_train=0.25) < 0.01
    assert p_value([0.05, -0.05, 0.04, -0.04] * 5, test_over_train=0.25) > 0.5
