from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from pipeline.scoring.ordinal import OrdinalLogistic, RidgeOrdinal, _loss_and_slope

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(400, 3))
Y = np.digitize(X @ [1.0, -1.0, 0.0] + RANDOM.logistic(size=400), [-1.0, 1.0]) + 1


def test_the_gradient_is_that_of_the_loss() -> None:
    point = np.array([0.3, -0.2, 0.1, -0.5, 0.2])
    fixed = (X, Y - 1, np.linspace(0.5, 1.5, 400), 2, 0.7)

    numeric = approx_fprime(point, lambda at: _loss_and_slope(at, *fixed)[0], 1e-6)

    np.testing.assert_allclose(_loss_and_slope(point, *fixed)[1], numeric, atol=1e-3)


def test_ordinal_logistic_finds_the_weights_that_made_the_ratings() -> None:
    model = OrdinalLogistic(C=100).fit(X, Y)

    np.testing.assert_allclose(model.coef_, [1, -1, 0], atol=0.25)
    assert model.thresholds_[0] < model.thresholds_[1]
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_ridge_leaves_each_row_out_exactly() -> None:
    from sklearn.linear_model import Ridge

    few, ratings = X[:40], Y[:40]
    model = RidgeOrdinal(alphas=(5.0,)).fit(few, ratings)
    unseen = []
    for row in range(40):
        rest = np.arange(40) != row
        unseen.append(Ridge(alpha=5.0).fit(few[rest], ratings[rest]).predict(few[row : row + 1])[0])
    by_hand = OrdinalLogistic(C=1e6).fit(np.array(unseen)[:, None], ratings)

    np.testing.assert_allclose(model.odds_.thresholds_, by_hand.thresholds_, rtol=0.05)


@pytest.mark.parametrize("model", [OrdinalLogistic(), RidgeOrdinal()])
def test_a_class_that_training_does_not_have_is_not_made_up(
    model: OrdinalLogistic | RidgeOrdinal,
) -> None:
    two = Y != 2

    assert set(model.fit(X[two], Y[two]).predict(X)) <= {1, 3}
