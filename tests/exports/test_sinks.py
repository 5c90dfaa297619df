"""The files: shards in the Hub's layout, cells that no spreadsheet evaluates."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.exports.sinks import JsonLines, ParquetShards, Sheet, ids_file, inert
from pipeline.records import content_id


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_cell_that_would_be_evaluated_becomes_text(sign: str) -> None:
    assert inert(f"{sign}1+1") == f"'{sign}1+1"
    assert inert(f"  {sign}1+1") == f"'  {sign}1+1"


def test_numbers_and_plain_text_stay_as_they_are() -> None:
    assert [inert(one) for one in (-1, 3, None, "I am = you")] == ["-1", "3", "", "I am = you"]


@settings(deadline=None)  # each example writes a file
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_taking_one_apostrophe_away_gives_back_any_text(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("sheet") / "cells.csv"
    sheet = Sheet(path, ["text"], lambda row: row)
    sheet.write(pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.string())}))
    sheet.close()

    with path.open(encoding="utf-8-sig", newline="") as stream:
        cells = [row["text"] for row in csv.DictReader(stream)]

    assert [cell.removeprefix("'") for cell in cells] == texts
    assert not any(cell.lstrip(" ").startswith(tuple("=+-@\t\r\n")) for cell in cells)


def test_a_shard_ends_before_it_could_be_too_large(tmp_path: Path) -> None:
    shards = ParquetShards(
        tmp_path / "train", lambda batch: pa.Table.from_batches([batch]), max_bytes=60_000
    )
    for start in range(0, 10_000, 1_000):
        ids = [content_id("row", number) for number in range(start, start + 1_000)]
        shards.write(pa.RecordBatch.from_pydict({"id": ids}))

    files = shards.close()

    assert [one.name for one in files] == [
        f"train-{number:05}-of-{len(files):05}.parquet" for number in range(len(files))
    ]
    assert len(files) > 1
    assert all(one.stat().st_size <= 60_000 for one in files)
    assert sum(pq.read_metadata(one).num_rows for one in files) == 10_000
    assert sorted(tmp_path.iterdir()) == files


def rows(count: int) -> pa.RecordBatch:
    texts = ["naïve" * (1 + number % 7) for number in range(count)]
    ids = [f"row-{number}" for number in range(count)]
    return pa.RecordBatch.from_pydict({"id": ids, "text": texts})


def test_lines_are_cut_into_numbered_files_at_the_size_that_is_taken(tmp_path: Path) -> None:
    lines = JsonLines(
        tmp_path / "sft-train.jsonl", lambda row: {"text": row["text"]}, with_ids=True, max_bytes=99
    )
    lines.write(rows(20))
    lines.write(rows(3))

    files = lines.close()

    data, ids = files[: len(files) // 2], files[len(files) // 2 :]
    assert len(data) > 2
    assert [one.name for one in data] == [
        f"sft-train-{number:05}-of-{len(data):05}.jsonl" for number in range(len(data))
    ]
    assert ids == [ids_file(one) for one in data]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert all(one.stat().st_size <= 99 for one in data)
    texts = [json.loads(line)["text"] for one in data for line in one.read_text().splitlines()]
    named = [json.loads(line)["id"] for one in ids for line in one.read_text().splitlines()]
    assert texts == [*rows(20)["text"].to_pylist(), *rows(3)["text"].to_pylist()]
    assert named == [*rows(20)["id"].to_pylist(), *rows(3)["id"].to_pylist()]


def test_lines_that_fit_into_one_file_are_not_numbered(tmp_path: Path) -> None:
    lines = JsonLines(tmp_path / "sft-train.jsonl", lambda row: row, max_bytes=10_000)
    lines.write(rows(20))

    assert lines.close() == [tmp_path / "sft-train.jsonl"]
