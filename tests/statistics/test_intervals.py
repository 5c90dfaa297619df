"""Intervals of shares: they cover what they promise, and are not sure of a handful."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.statistics.intervals import estimate, p_value, share_interval, wilson

WINS, TIES = 0.7, 0.1


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = WINS + TIES / 2
    random = np.random.default_rng(5)
    dialogues = [f"d{number}" for number in range(80)]
    covered = 0
    for trial in range(200):
        values = random.choice([1.0, 0.5, 0.0], p=[WINS, TIES, 1 - WINS - TIES], size=80)
        low, high = share_interval(values.tolist(), dialogues, seed=trial, resamples=400)
        covered += low <= truth <= high

    assert 0.90 <= covered / 200 <= 0.98


def test_dialogues_are_drawn_whole() -> None:
    values = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0] * 5
    apart = [f"d{number}" for number in range(40)]
    together = [f"d{number // 4}" for number in range(40)]

    narrow = share_interval(values, apart, seed=0)
    wide = share_interval(values, together, seed=0)

    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_a_clean_sweep_is_no_certainty() -> None:
    low, high = share_interval([1.0] * 10, [f"d{number}" for number in range(10)], seed=0)

    assert low == pytest.approx(0.722, abs=1e-3)
    assert high == pytest.approx(1.0)


def test_a_single_dialogue_says_next_to_nothing() -> None:
    assert share_interval([1.0, 0.0], ["d1", "d1"], seed=0) == pytest.approx(wilson(0.5, 1))


def test_the_same_seed_gives_the_same_interval() -> None:
    values, dialogues = [1.0, 0.0, 0.5, 1.0], ["a", "b", "c", "d"]

    assert share_interval(values, dialogues, seed=3) == share_interval(values, dialogues, seed=3)


def test_the_interval_is_wider_than_that_of_independent_splits() -> None:
    values = [0.48, 0.5, 0.52, 0.5]
    apart = estimate(values, test_over_train=0.0)
    shared = estimate(values, test_over_train=0.25)

    assert shared.mean == apart.mean == pytest.approx(0.5)
    assert shared.ci[0] < apart.ci[0] < apart.ci[1] < shared.ci[1]


def test_a_difference_that_every_split_shows_is_told_from_one_that_comes_and_goes() -> None:
    assert p_value([0.05, 0.06, 0.05, 0.04] * 5, test_over_train=0.25) < 0.01
    assert p_value([0.05, -0.05, 0.04, -0.04] * 5, test_over_train=0.25) > 0.5
