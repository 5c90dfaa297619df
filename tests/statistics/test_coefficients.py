"""Agreement coefficients against published worked examples and reference implementations."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from pipeline.statistics.agreement import (
    Scale,
    agreement_weights,
    cohen_kappa,
    gwet_ac,
    icc_2_1,
    krippendorff_alpha,
    raw_agreement,
)

# Four observers, twelve units, five categories, with gaps (0): the example of Krippendorff,
# Computing Krippendorff's Alpha-Reliability (2011), section C; Gwet (2014) uses the same data.
FOUR_OBSERVERS = (
    np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]
    ).T
    - 1
)
FIVE = np.arange(1.0, 6.0)
# Two abstractors of medical records, three categories (irrCAC's cont3x3abstractors; Gwet 2014).
ABSTRACTORS = np.repeat(
    np.array([[0, 0], [1, 1], [1, 2], [2, 1], [2, 2]]), [13, 20, 7, 4, 56], axis=0
)
# Six targets, four judges: Shrout and Fleiss (1979), table 2.
SIX_TARGETS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=float,
)


@pytest.mark.parametrize(
    ("scale", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_that_of_krippendorffs_worked_example(scale: Scale, published: float) -> None:
    alpha = krippendorff_alpha(FOUR_OBSERVERS, FIVE, scale).estimate()

    assert alpha == pytest.approx(published, abs=5e-4)


def test_ac1_is_that_of_gwets_worked_examples() -> None:
    assert gwet_ac(FOUR_OBSERVERS, 5, "identity").estimate() == pytest.approx(0.77544, abs=5e-6)
    assert gwet_ac(ABSTRACTORS, 3, "identity").estimate() == pytest.approx(0.8493305, abs=5e-8)


@pytest.mark.parametrize(
    ("weights", "reference"), [("linear", 0.8587391), ("quadratic", 0.9140007)]
)
def test_ac2_is_that_of_irrcac_on_the_same_example(weights: str, reference: float) -> None:
    """irrCAC 0.4.4, run apart: it cannot be installed beside numpy 2."""
    assert gwet_ac(FOUR_OBSERVERS, 5, weights).estimate() == pytest.approx(reference, abs=5e-8)


def test_cohens_kappa_and_alpha_are_those_published_for_the_abstractors() -> None:
    kappa = cohen_kappa(ABSTRACTORS, 3, "identity").estimate()
    alpha = krippendorff_alpha(ABSTRACTORS, FIVE[:3], "nominal").estimate()

    assert kappa == pytest.approx(0.7964094, abs=5e-8)
    assert alpha == pytest.approx(0.7972585, abs=5e-8)


def test_icc_is_that_of_shrout_and_fleiss() -> None:
    assert icc_2_1(SIX_TARGETS).estimate() == pytest.approx(0.29, abs=5e-3)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("scale", get_args(Scale))
def test_alpha_equals_the_krippendorff_package_on_random_tables_with_gaps(
    scale: Scale, seed: int
) -> None:
    import krippendorff

    random = np.random.default_rng(seed)
    codes = random.integers(0, 4, size=(int(random.integers(3, 60)), int(random.integers(2, 6))))
    codes[random.random(codes.shape) < 0.3] = -1
    values = np.array([1.0, 2.0, 4.0, 8.0])
    table = np.where(codes >= 0, values[codes], np.nan).T

    expected = krippendorff.alpha(
        reliability_data=table, value_domain=values, level_of_measurement=scale
    )

    assert krippendorff_alpha(codes, values, scale).estimate() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("weights", ["identity", "linear", "quadratic"])
def test_kappa_equals_scikit_learn_on_random_tables(weights: str, seed: int) -> None:
    from sklearn.metrics import cohen_kappa_score

    random = np.random.default_rng(seed)
    codes = random.integers(0, 5, size=(40, 2))
    expected = cohen_kappa_score(
        codes[:, 0],
        codes[:, 1],
        labels=range(5),
        weights=None if weights == "identity" else weights,
    )

    assert cohen_kappa(codes, 5, weights).estimate() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(12))
def test_icc_equals_pingouin_on_random_tables(seed: int) -> None:
    import pandas as pd
    import pingouin

    random = np.random.default_rng(seed)
    items, raters = int(random.integers(5, 40)), int(random.integers(2, 6))
    ratings = random.normal(size=(items, 1)) + random.normal(size=(items, raters))
    rows = [(i, r, ratings[i, r]) for i in range(items) for r in range(raters)]
    frame = pd.DataFrame(rows, columns=["item", "rater", "rating"])
    table = pingouin.intraclass_corr(frame, targets="item", raters="rater", ratings="rating")
    single = table[table["Type"].isin(["ICC2", "ICC(A,1)"])]

    assert icc_2_1(ratings).estimate() == pytest.approx(float(single["ICC"].iloc[0]), abs=1e-6)


@pytest.mark.parametrize(
    "codes",
    [
        np.array([[0], [1], [2]]),
        np.zeros((5, 3), dtype=int),
        np.full((4, 2), -1),
        np.array([[0, -1], [-1, 1], [2, -1]]),
        np.empty((0, 2), dtype=int),
    ],
    ids=["one rater", "all in one category", "no rating", "no item shared", "no item"],
)
def test_alpha_is_undefined_where_nothing_can_be_compared(codes: np.ndarray) -> None:
    assert krippendorff_alpha(codes, FIVE[:3], "nominal").estimate() is None


@pytest.mark.parametrize("scale", get_args(Scale))
def test_perfect_agreement_is_one(scale: Scale) -> None:
    codes = np.array([[0, 0], [1, 1], [2, 2]])

    assert krippendorff_alpha(codes, FIVE[:3], scale).estimate() == pytest.approx(1)
    assert gwet_ac(codes, 3, "quadratic").estimate() == pytest.approx(1)
    assert cohen_kappa(codes, 3, "identity").estimate() == pytest.approx(1)


def test_ac1_stays_defined_where_all_ratings_are_one_category() -> None:
    codes = np.zeros((5, 3), dtype=int)

    assert gwet_ac(codes, 3, "identity").estimate() == pytest.approx(1)
    assert cohen_kappa(codes[:, :2], 3, "identity").estimate() is None


def test_a_column_of_empty_cells_changes_nothing() -> None:
    gaps = np.full((len(FOUR_OBSERVERS), 1), -1)
    wider = np.hstack([FOUR_OBSERVERS, gaps])

    for scale in get_args(Scale):
        assert krippendorff_alpha(wider, FIVE, scale).estimate() == pytest.approx(
            krippendorff_alpha(FOUR_OBSERVERS, FIVE, scale).estimate()
        )
    assert raw_agreement(wider, 5).estimate() == raw_agreement(FOUR_OBSERVERS, 5).estimate()


def test_icc_is_undefined_with_one_rater_or_no_variation() -> None:
    assert icc_2_1(SIX_TARGETS[:, :1]).estimate() is None
    assert icc_2_1(np.ones((4, 3))).estimate() is None


def test_weights_run_from_one_to_zero() -> None:
    assert agreement_weights(3, "linear").tolist() == [[1, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 1]]
    assert agreement_weights(3, "quadratic")[0].tolist() == [1, 0.75, 0]
