"""Raw rows with their numbers, and what is said of a file that is not what it claims to be."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import MissingFileError, PipelineError, RowError, TableError
from pipeline.sources.rows import column_names, iter_rows

CSV = "id,text\n1,hello\n2,goodbye\n"


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _parquet(folder: Path, **columns: object) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", CSV),
        ("rows.CSV", CSV),
        ("rows.tsv", CSV.replace(",", "\t")),
        ("rows.jsonl", '{"id": "1", "text": "hello"}\n\n{"id": "2", "text": "goodbye"}\n'),
        ("bom.csv", "\ufeff" + CSV),
        ("crlf.csv", CSV.replace("\n", "\r\n")),
    ],
)
def test_every_format_gives_the_same_values(tmp_path: Path, name: str, content: str) -> None:
    rows = iter_rows(_file(tmp_path, name, content), ["id", "text"])

    assert [values for _, values in rows] == [
        {"id": "1", "text": "hello"},
        {"id": "2", "text": "goodbye"},
    ]


def test_parquet_gives_the_asked_for_columns(tmp_path: Path) -> None:
    path = _parquet(tmp_path, id=["1", "2"], text=["hello", None], more=[1, 2])

    assert list(iter_rows(path, ["id", "text"])) == [
        (1, {"id": "1", "text": "hello"}),
        (2, {"id": "2", "text": None}),
    ]


def test_rows_are_counted_from_one_without_the_header(tmp_path: Path) -> None:
    rows = iter_rows(_file(tmp_path, "rows.csv", CSV), ["id"])

    assert [(row, values["id"]) for row, values in rows] == [(1, "1"), (2, "2")]


def test_a_quoted_field_may_hold_lines_and_delimiters(tmp_path: Path) -> None:
    path = _file(tmp_path, "rows.csv", 'id,text\n1,"one, two\nthree ""four"""\n')

    assert next(iter_rows(path, ["text"]))[1]["text"] == 'one, two\nthree "four"'


def test_a_field_of_a_megabyte_is_read(tmp_path: Path) -> None:
    path = _file(tmp_path, "rows.csv", f"id,text\n1,{'x' * 1_000_000}\n")

    assert len(next(iter_rows(path, ["text"]))[1]["text"]) == 1_000_000


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_missing_file_is_named(tmp_path: Path, ending: str) -> None:
    with pytest.raises(MissingFileError, match=rf"gone\.{ending}: no such file"):
        list(iter_rows(tmp_path / f"gone.{ending}", ["id"]))


def test_an_unknown_format_is_named_with_those_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"files of type \.xlsx are not read\nUse one of: \.csv"):
        iter_rows(_file(tmp_path, "rows.xlsx", ""), ["id"])


@pytest.mark.parametrize(
    ("name", "content"),
    [("rows.csv", CSV), ("rows.jsonl", '{"id": 1, "text": "hello"}\n')],
)
def test_a_renamed_column_is_named_with_a_guess(tmp_path: Path, name: str, content: str) -> None:
    path = _file(tmp_path, name, content)

    with pytest.raises(PipelineError, match=r"no (column|field) texts\nWas 'text' meant\?"):
        list(iter_rows(path, ["id", "texts"]))


def test_a_missing_parquet_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"rows\.parquet: no column text\nThe file has: id"):
        list(iter_rows(_parquet(tmp_path, id=[1]), ["id", "text"]))


def test_a_column_that_is_there_twice_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, "rows.csv", "id,text,text\n1,a,b\n")

    with pytest.raises(TableError, match="column text is there twice"):
        list(iter_rows(path, ["id", "text"]))


def test_a_file_that_ends_in_the_middle_of_a_row_is_an_error(tmp_path: Path) -> None:
    path = _file(tmp_path, "rows.csv", "id,text,rating\n1,hello,3\n2,goo")

    with pytest.raises(RowError, match=r"rows\.csv row 2: 2 fields where the header has 3"):
        list(iter_rows(path, ["id"]))


def test_a_file_that_ends_inside_quotation_marks_is_an_error(tmp_path: Path) -> None:
    path = _file(tmp_path, "rows.csv", 'id,text\n1,hello\n2,"goo')

    with pytest.raises(RowError, match=r"rows\.csv row 2: not CSV"):
        list(iter_rows(path, ["id"]))


def test_bytes_that_are_no_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    path = _file(tmp_path, "rows.csv", b"id,text\n1,hello\n2,caf\xe9\n")

    with pytest.raises(TableError, match=r"rows\.csv: line 3 is not UTF-8 text \(byte 6"):
        list(iter_rows(path, ["id"]))


def test_a_parquet_text_that_is_no_utf8_is_an_error(tmp_path: Path) -> None:
    text = pa.array([b"hello", b"caf\xe9"]).view(pa.string())
    path = _parquet(tmp_path, text=text)

    with pytest.raises(PipelineError, match=r"rows\.parquet: a text after row 0 is not UTF-8"):
        list(iter_rows(path, ["text"]))


def test_an_empty_csv_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="the file is empty"):
        list(iter_rows(_file(tmp_path, "rows.csv", ""), ["id"]))


def test_a_half_written_parquet_file_is_an_error(tmp_path: Path) -> None:
    path = _parquet(tmp_path, id=[1, 2, 3])
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(TableError, match=r"rows\.parquet: not a whole Parquet file"):
        list(iter_rows(path, ["id"]))


def test_a_damaged_parquet_page_is_an_error(tmp_path: Path) -> None:
    path = _parquet(tmp_path, id=[f"row {n}" for n in range(500)])
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)

    with pytest.raises(TableError, match=r"rows\.parquet: damaged after row 0"):
        list(iter_rows(path, ["id"]))


@pytest.mark.parametrize(
    ("name", "content"), [("rows.csv", CSV), ("rows.jsonl", '{"id": 1, "text": "hello"}\n')]
)
def test_column_names_are_those_of_the_file(tmp_path: Path, name: str, content: str) -> None:
    assert column_names(_file(tmp_path, name, content)) == ["id", "text"]


def test_a_table_without_rows_has_no_columns_to_map(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="there is no row in it"):
        column_names(_file(tmp_path, "rows.csv", "id,text\n"))
