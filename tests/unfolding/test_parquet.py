"""What is read in pieces is what pyarrow reads at once."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.audit.raw_table import MAX_COLUMNS
from pipeline.audit.reading import read_raw
from pipeline.errors import TableError
from pipeline.storage import open_parquet
from pipeline.unfolding import parquet


def odd_table() -> pa.Table:
    texts = pa.array(["I hear you. " * 50, "Oh."] * 50)
    turns = [[{"role": "user", "content": "x" * 50}]] * 100
    columns: dict[str, Any] = {
        "text": texts,
        "turns": pa.array(turns),
        "list": pa.array([["a", "b" * 30]] * 100, pa.large_list(pa.large_string())),
        "pair": pa.array([["a", "b" * 77]] * 100, pa.list_(pa.string(), 2)),
        "large": texts.cast(pa.large_string()),
        "view": texts.cast(pa.string_view()),
        "category": texts.dictionary_encode(),
        "bytes": texts.cast(pa.binary()),
        "json": pa.array(['{"a": 1}' * 9] * 100, pa.json_()),
        "when": pa.array([datetime.datetime(2020, 1, 1)] * 100),  # noqa: DTZ001
        "price": pa.array([decimal.Decimal("1.2")] * 100),
        "marks": pa.array([[("a", "b" * 99)]] * 100, pa.map_(pa.string(), pa.string())),
    }
    return pa.table(columns)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"use_dictionary": False},
        {
            "use_dictionary": False,
            "column_encoding": {"text": "DELTA_BYTE_ARRAY", "large": "DELTA_LENGTH_BYTE_ARRAY"},
        },
        {"data_page_version": "2.0"},
        {"store_schema": False},
        {"row_group_size": 7, "compression": "zstd"},
    ],
)
def test_any_column_read_in_pieces_is_as_pyarrow_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(odd_table(), path, **how)
    monkeypatch.setattr(parquet, "BATCH_BYTES", 1000)
    expected = pq.read_table(path)

    found = list(open_parquet(path).iter_batches())

    assert len(found) == 100
    assert pa.Table.from_batches(found).schema == expected.schema
    assert pa.Table.from_batches(found).to_pylist() == expected.to_pylist()
    assert open_parquet(path).read().to_pylist() == expected.to_pylist()


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": ["a"]}), path)

    with pytest.raises(TableError, match="no column label"):
        open_parquet(path).read(["text", "label"])


def test_columns_beyond_the_thousandth_are_left_out_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [f'{{"text": "I hear you.", "key {row}": {row}}}\n' for row in range(1_500)]
    path.write_text("".join(lines), encoding="utf-8")

    raw = read_raw(path)

    assert len(raw.columns) == MAX_COLUMNS
    assert {len(values) for values in raw.columns.values()} == {1_500}
    assert raw.columns["key 3"][2:5] == [None, 3, None]
    assert any("over 1,000 columns" in note for note in raw.notes)


def test_a_number_of_five_thousand_digits_is_a_bad_line_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "a"}\n{"text": ' + "9" * 5000 + "}\n", encoding="utf-8")

    assert "left out, line (from 0): 1" in read_raw(path).notes[0]


def test_a_value_nested_deeper_than_a_hundred_levels_is_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "a"}\n{"text": ' + "[" * 101 + "]" * 101 + "}\n", encoding="utf-8")

    assert read_raw(path).rows == 1
