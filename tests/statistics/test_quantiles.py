from __future__ import annotations

import numpy as np
import pytest

from pipeline.statistics.quantiles import quantiles


def test_a_quantile_is_the_least_length_that_so_many_do_not_exceed() -> None:
    assert quantiles({3: 1, 5: 8, 9: 1}) == {"p0": 3, "p10": 3, "p50": 5, "p90": 5, "p100": 9}


def test_there_is_no_quantile_of_nothing_but_nought() -> None:
    assert quantiles({}) == {"p0": 0, "p10": 0, "p50": 0, "p90": 0, "p100": 0}


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_are_those_of_numpys_inverted_distribution(seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 60, size=97)
    counts = dict(zip(*np.unique(values, return_counts=True), strict=True))
    expected = np.percentile(values, [0, 10, 50, 90, 100], method="inverted_cdf")

    assert list(quantiles(counts).values()) == expected.tolist()
