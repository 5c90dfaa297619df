from __future__ import annotations

import numpy as np
import pytest

from pipeline.annotation.design import design, simulate
from pipeline.statistics.agreement import krippendorff_alpha, raw_agreement
from pipeline.statistics.bootstrap import crossed_interval, difference_interval, interval, mean_of

THREE = np.arange(3.0)
EVEN = np.full(3, 1 / 3)


def test_the_interval_covers_the_true_alpha_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(100):
        codes = simulate(np.random.default_rng(seed), 150, 3, 0.6, EVEN)
        low, high = interval(krippendorff_alpha(codes, THREE, "nominal"), seed=seed, resamples=400)
        covered += low <= 0.6 <= high

    assert 88 <= covered <= 100


def test_drawing_whole_clusters_widens_the_interval_of_repeated_items() -> None:
    codes = simulate(np.random.default_rng(1), 60, 2, 0.5, EVEN)
    repeated = np.repeat(codes, 5, axis=0)
    clusters = [str(number) for number in np.repeat(np.arange(60), 5)]
    statistic = raw_agreement(repeated, 3)

    naive = interval(statistic, seed=0)
    honest = interval(statistic, seed=0, clusters=clusters)

    assert honest[1] - honest[0] > 1.8 * (naive[1] - naive[0])


def test_there_is_no_interval_without_variation_or_with_one_item() -> None:
    assert interval(krippendorff_alpha(np.zeros((9, 2), int), THREE, "nominal"), seed=0) is None
    assert interval(raw_agreement(np.array([[0, 0]]), 3), seed=0) is None


def test_an_interval_over_runs_and_groups_holds_the_mean_and_widens_with_fewer_groups() -> None:
    groups = np.repeat([f"dialogue {number}" for number in range(30)], 4).tolist()
    right = (np.random.default_rng(0).random((10, 120)) < 0.6).astype(float)

    low, high = crossed_interval(right, groups)
    few = crossed_interval(right, ["one", "two"] * 60)

    assert low < right.mean() < high
    assert few[1] - few[0] != high - low


def test_a_difference_of_two_shares_is_uncertain_on_both_sides() -> None:
    even, mostly = mean_of([0.0, 1.0] * 40), mean_of([1.0, 1.0, 1.0, 0.0] * 20)

    low, high = difference_interval(mostly, even, seed=0)

    assert 0 < low < 0.25 < high < 0.5
    assert difference_interval(mostly, mean_of([1.0]), seed=0) is None


@pytest.mark.parametrize(("raters", "alpha"), [(2, 0.5), (3, 0.7), (5, 0.8)])
def test_the_planned_number_of_items_gives_the_planned_width(raters: int, alpha: float) -> None:
    plan = design(raters=raters, alpha=alpha, width=0.1)
    codes = simulate(np.random.default_rng(3), plan.items, raters, alpha, EVEN)

    low, high = interval(krippendorff_alpha(codes, THREE, "nominal"), seed=0)

    assert high - low == pytest.approx(0.1, rel=0.15)
    assert plan.labels == plan.items * raters


def test_more_raters_need_fewer_items() -> None:
    needed = [design(raters=raters, alpha=0.7, width=0.1).items for raters in (2, 3, 5)]

    assert needed == sorted(needed, reverse=True)
