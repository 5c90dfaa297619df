from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import TableError
from pipeline.features.table import (
    FeatureError,
    FeatureTable,
    join,
    read_features,
    write_features,
)

WARMTH = FeatureTable(("a", "b"), ("v2_warmth",), np.array([[7.0], [2.0]]))
LENGTH = FeatureTable(("b", "c"), ("length_words",), np.array([[11.0], [30.0]]))


def test_what_a_table_does_not_know_is_missing_and_not_zero() -> None:
    joined = join([WARMTH, LENGTH], ["a", "b", "c"])

    assert joined.names == ("v2_warmth", "length_words")
    np.testing.assert_array_equal(joined.values, [[7, np.nan], [2, 11], [np.nan, 30]])


def test_tables_join_by_id_in_whatever_order_their_rows_are() -> None:
    turned = FeatureTable(("b", "a"), ("v2_warmth",), np.array([[2.0], [7.0]]))

    np.testing.assert_array_equal(
        join([turned], ["a", "b"]).values, join([WARMTH], ["a", "b"]).values
    )


def test_a_missing_value_survives_the_file(tmp_path: Path) -> None:
    table = join([WARMTH, LENGTH], ["a", "b", "c"])
    write_features(tmp_path / "features.parquet", table)

    again = read_features(tmp_path / "features.parquet")

    assert (again.ids, again.names) == (table.ids, table.names)
    np.testing.assert_array_equal(again.values, table.values)


def test_an_id_or_a_name_that_is_there_twice_is_refused() -> None:
    with pytest.raises(FeatureError, match="response a is there twice"):
        FeatureTable(("a", "a"), ("x",), np.zeros((2, 1)))
    with pytest.raises(FeatureError, match="feature x is there twice"):
        FeatureTable(("a",), ("x", "x"), np.zeros((1, 2)))


def test_an_unknown_feature_is_named_with_what_makes_it() -> None:
    with pytest.raises(FeatureError, match=r"v2_calm: not in the table.*\n.*dvc repro featurize"):
        WARMTH.columns(("v2_calm",))


def test_another_parquet_file_is_no_feature_table(tmp_path: Path, sample_build: Path) -> None:
    with pytest.raises(TableError, match="its first column is not response_id"):
        read_features(sample_build / "datasets" / "exchanges.parquet")
