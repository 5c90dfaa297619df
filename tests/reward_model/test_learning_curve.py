from __future__ import annotations

import numpy as np

from pipeline.reward_model.data import PairRows
from pipeline.reward_model.learning_curve import CurveData, Variant, curve_rows, subset, train_on

GROUPS = np.repeat([f"dialogue {number}" for number in range(30)], 4)
PAIRS = PairRows(np.arange(0, 240, 2), np.arange(1, 241, 2), GROUPS)


def test_a_subset_takes_whole_groups_until_there_are_enough() -> None:
    part = subset(PAIRS, 0.25, seed=3)

    assert len(part) == 30
    counts = np.unique(part.groups, return_counts=True)[1]
    assert sorted(counts.tolist()) == [2, *[4] * 7]


def test_a_smaller_subset_is_part_of_a_larger_one() -> None:
    small, large = subset(PAIRS, 0.1, seed=3), subset(PAIRS, 0.5, seed=3)

    assert set(small.chosen) < set(large.chosen)
    assert set(small.chosen) != set(subset(PAIRS, 0.1, seed=4).chosen)


def test_equal_models_differ_by_nothing() -> None:
    features = np.random.default_rng(1).normal(size=(240, 4))
    data = CurveData("made up", features, PAIRS, PAIRS, np.arange(240))
    variant = Variant("linear", "linear", {})
    runs = [train_on(data, variant.fit, 0.5, seed) for seed in range(3)]

    rows = curve_rows(data, {"linear": runs, "twin": runs}, 0.5, "linear")

    assert "paired_difference" not in rows[0]
    assert (rows[1]["paired_difference"], rows[1]["paired_ci"]) == (0, [0, 0])
    assert rows[0]["accuracy"] == rows[1]["accuracy"]
