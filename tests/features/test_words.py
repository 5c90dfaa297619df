from __future__ import annotations

import numpy as np

from pipeline.features.words import BUCKETS, word_table


def test_a_row_depends_on_its_own_text_alone_and_has_length_one() -> None:
    alone = word_table([("a", "I hear you.")])
    beside = word_table([("b", "Something else."), ("a", "I hear you.")]).rows(["a"])

    np.testing.assert_array_equal(alone.values, beside.values)
    assert alone.values.shape == (1, BUCKETS)
    assert np.linalg.norm(alone.values) == 1
