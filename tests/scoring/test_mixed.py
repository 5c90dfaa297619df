from __future__ import annotations

import numpy as np
import pytest

from pipeline.scoring.mixed import fit_mixed

RANDOM = np.random.default_rng(1)
GROUPS = RANDOM.integers(0, 40, 400)
FIXED = np.column_stack([np.ones(400), RANDOM.normal(size=400)])
NOISE = RANDOM.normal(0, 0.7, 400)


def test_it_finds_what_the_reference_finds() -> None:
    api = pytest.importorskip("statsmodels.regression.mixed_linear_model")
    values = FIXED @ [2.0, 0.3] + RANDOM.normal(0, 0.4, 40)[GROUPS] + NOISE

    ours = fit_mixed(values, FIXED, GROUPS)
    theirs = api.MixedLM(values, FIXED, groups=GROUPS).fit(reml=True)

    np.testing.assert_allclose(ours.coefficients, theirs.fe_params, rtol=1e-3)
    np.testing.assert_allclose(ours.errors, theirs.bse_fe, rtol=1e-2)
    assert ours.between == pytest.approx(float(theirs.cov_re[0, 0]), rel=1e-2)
    assert ours.within == pytest.approx(float(theirs.scale), rel=1e-2)


def test_groups_that_do_not_differ_share_nothing() -> None:
    model = fit_mixed(FIXED @ [2.0, 0.3] + NOISE, FIXED, GROUPS)

    assert model.share_between < 0.05
