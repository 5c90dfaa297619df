from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.statistics.splits import fold_of_groups, grouped_splits, held_out


def test_no_dialogue_is_on_both_sides_and_fixed_ones_are_never_tested() -> None:
    groups = [f"d{number // 3}" for number in range(90)]
    fixed = frozenset({"d0", "d1", "d2"})

    for split in grouped_splits(groups, count=20, test_share=0.2, seed=1, fixed=fixed):
        test = {groups[place] for place in split.test}
        assert len(test) == 6
        assert test.isdisjoint({groups[place] for place in split.train} | fixed)


def test_one_dialogue_cannot_be_split() -> None:
    with pytest.raises(PipelineError, match=r"1 dialogue\(s\) to split"):
        next(grouped_splits(["d1"] * 5, count=2, test_share=0.2, seed=1))


def test_what_is_held_out_is_whole_groups() -> None:
    groups = np.repeat([f"d{number}" for number in range(10)], 3)
    out = held_out(groups, 0.25, seed=1)

    assert out.sum() == 6
    assert set(groups[out]).isdisjoint(groups[~out])


def test_every_group_has_one_fold_and_no_fold_is_empty() -> None:
    folds = fold_of_groups(["a", "b", "b", "c"], 5, seed=0)

    assert set(folds) == {"a", "b", "c"}
    assert sorted(folds.values()) == [0, 1, 2]
