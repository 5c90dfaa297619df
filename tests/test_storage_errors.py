"""What a table or file that cannot be read says: file, row and problem."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import MissingFileError, RowError, TableError
from pipeline.records import Exchange, PreferencePair, SplitAssignment
from pipeline.storage import (
    arrow_schema,
    iter_json_lines,
    read_json,
    read_table,
    write_table,
)
from tests.examples import LOST_JOB, pair


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.parquet: no such file"):
        next(read_table(tmp_path / "gone.parquet", Exchange))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_half_written_table_is_an_error_that_names_it(tmp_path: Path, share: float) -> None:
    path = tmp_path / "exchanges.parquet"
    write_table(path, Exchange, [LOST_JOB] * 500)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(TableError, match=r"exchanges\.parquet: not a whole Parquet file"):
        list(read_table(path, Exchange))


def test_a_table_with_a_damaged_page_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.parquet"
    write_table(path, Exchange, [LOST_JOB] * 500)
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)

    with pytest.raises(TableError, match=r"exchanges\.parquet: damaged"):
        list(read_table(path, Exchange))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "splits.parquet"
    pq.write_table(pa.table({"exchange_id": ["e1"], "split": ["train"], "rule": ["papers"]}), path)

    with pytest.raises(TableError, match="no column group"):
        list(read_table(path, SplitAssignment))


def test_an_invalid_row_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "splits.parquet"
    columns = {"exchange_id": ["e1", "e2"], "group": ["g", "g"], "rule": ["papers", "papers"]}
    pq.write_table(pa.table({**columns, "split": ["train", "holdout"]}), path)

    with pytest.raises(
        RowError, match=r"splits\.parquet row 2: not a valid SplitAssignment: split"
    ):
        list(read_table(path, SplitAssignment))


def test_a_pair_with_identical_sides_is_found_when_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    values = pair("kind", "unkind").model_dump(mode="json")
    values["rejected"] = values["chosen"]
    table = pa.Table.from_pylist([values], schema=arrow_schema(PreferencePair))
    pq.write_table(table, path)

    with pytest.raises(RowError, match=r"row 1: .*chosen and rejected are identical"):
        list(read_table(path, PreferencePair))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"record_id": "a"', "not JSON"),
        (b"[1, 2]", "a list, not an object"),
        (b'{"record_id": "\xff"}', "not UTF-8 text"),
        (b"[" * 200_000, "not JSON"),
        (b'{"record_id": ' + b"9" * 5_000 + b"}", "not JSON"),
    ],
    ids=["cut short", "not an object", "not UTF-8", "nested too deep", "too long a number"],
)
def test_a_bad_json_line_is_named_with_its_number(
    tmp_path: Path, line: bytes, problem: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"record_id": "a"}\n\n' + line + b"\n")

    with pytest.raises(RowError, match=rf"rows\.jsonl row 3: {problem}"):
        list(iter_json_lines(path))


def test_a_broken_json_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text('{"rows": ', encoding="utf-8")

    with pytest.raises(TableError, match=r"metrics\.json: not JSON"):
        read_json(path)
