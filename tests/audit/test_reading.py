from __future__ import annotations

import errno
import gzip
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.audit import raw_table, reading
from pipeline.audit.building import read_table
from pipeline.audit.reading import read_raw
from pipeline.audit.run import audit_folder, read_result, run_audit, write_result
from pipeline.audit.settings import AuditSettings
from pipeline.errors import MissingFileError, TableError, TargetError
from pipeline.reporting.audit_page import audit_html


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="is empty"):
        read_raw(write(tmp_path / "a.csv", ""))


def test_a_header_without_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no rows"):
        read_raw(write(tmp_path / "a.csv", "text,label\n"))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file"):
        read_raw(tmp_path / "a.csv")


def test_a_packed_file_says_unpack_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", gzip.compress(b"0" * 10_000_000))

    with pytest.raises(TableError, match="Unpack it first"):
        read_raw(path)


def test_a_packed_file_under_another_name_is_known(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(gzip.compress(b"text\nI hear you.\n"))

    with pytest.raises(TableError, match=r"is a compressed file\nUnpack it first"):
        read_raw(path)


def test_a_file_without_a_row_says_why(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('{"rows": [1,', encoding="utf-8")

    with pytest.raises(TableError, match=r"no rows .*not a JSON object"):
        read_raw(path)


def test_a_file_over_the_limit_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 5)

    with pytest.raises(TableError, match="Audit a part of it"):
        read_raw(write(tmp_path / "a.csv", "text\nhello\n"))


def test_a_small_file_that_unfolds_to_too_much_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_table, "MAX_UNFOLDED_BYTES", 100_000)
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a" * 1000] * 5000}), path, compression="zstd")

    assert path.stat().st_size < 100_000
    with pytest.raises(TableError, match="MiB of values"):
        read_raw(path)


def test_half_a_parquet_file_is_an_error(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"text": ["hello"] * 100}), whole)

    with pytest.raises(TableError, match="cannot be read"):
        read_raw(write(tmp_path / "half.parquet", whole.read_bytes()[:100]))


def test_a_column_that_is_there_twice_is_read_under_another_name(tmp_path: Path) -> None:
    raw = read_raw(write(tmp_path / "a.csv", "text,text\none,two\n"))

    assert raw.columns == {"text": ["one"], "text.2": ["two"]}
    assert "there twice" in raw.notes[0]


def test_a_row_of_another_length_is_noted_and_read(tmp_path: Path) -> None:
    raw = read_raw(write(tmp_path / "a.csv", "text,label\nhello,1\nalone\n"))

    assert raw.columns["label"] == ["1", None]
    assert raw.notes == ["a.csv: not as many fields as the header: 1"]


def test_bytes_that_are_no_text_become_a_finding(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"text\nhello there my friend\nbroken \xff\xfe here it is\n")

    result = run_audit(read_table(path), AuditSettings())

    found = [one.row_ids for one in result.findings if one.detector == "encoding_damage"]
    assert found == [("1",)]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_half_a_character_is_a_finding_wherever_it_stands(tmp_path: Path, name: str) -> None:
    row = r'{"te\ud83dxt": "hello \ud83d my friend", "\udc00 label": "\udce9"}'
    path = write(tmp_path / name, f"[{row}]" if name == "a.json" else f"{row}\n{row}\n")

    result = run_audit(read_table(path), AuditSettings())
    write_result(result, tmp_path / "out")

    (found, *_) = [one for one in result.findings if one.detector == "encoding_damage"]
    assert found.evidence == "\ufffd"
    assert (
        r"te\ud83dxt"
        in audit_html(read_result(tmp_path / "out")).encode(errors="backslashreplace").decode()
    )


_ODD_ZONE = pa.timestamp("us", tz="Mars/Base")
ODD_TIMES = {
    "flat": (pa.array([0, None, 60_000_000], _ODD_ZONE), datetime(1970, 1, 1, 0, 1, tzinfo=UTC)),
    "offset": (pa.array([0, 1, 60], pa.timestamp("s", tz="+25:99")), None),
    "nested": (pa.array([[], None, [{"at": 1}]], pa.list_(pa.struct([("at", _ODD_ZONE)]))), None),
    "mapped": (pa.array([[], None, [("a", 1)]], pa.map_(pa.string(), _ODD_ZONE)), None),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in ODD_TIMES for kind in ("parquet", "arrow")],
)
def test_times_in_a_zone_that_is_not_known_are_read_as_utc_and_noted(
    tmp_path: Path, name: str, kind: str
) -> None:
    column, last = ODD_TIMES[name]
    table = pa.table({"text": ["one", "two", "three"], "at": column})
    path = tmp_path / f"a.{kind}"
    if kind == "parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as target:
            target.write_table(table)

    raw = read_raw(path)

    assert raw.columns["text"] == ["one", "two", "three"]
    assert all(value is not None for value in raw.columns["at"][2:])
    assert last is None or raw.columns["at"] == [datetime(1970, 1, 1, tzinfo=UTC), None, last]
    assert any("here: read as UTC" in note for note in raw.notes)


def test_a_value_that_no_calendar_holds_is_left_empty_and_noted(tmp_path: Path) -> None:
    days = pa.array([2**30, 1, 2**30], pa.date32())
    pq.write_table(pa.table({"text": ["one", "two", "six"], "day": days}), tmp_path / "a.parquet")

    raw = read_raw(tmp_path / "a.parquet")

    assert raw.columns["day"] == [None, date(1970, 1, 2), None]
    assert raw.notes == ["a.parquet: cannot be read in column 'day', left empty, row: 0, 2"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.parquet"])
def test_a_file_that_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / name, "text\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(TargetError, match=r"Permission denied\n.*Check the path and its rights"):
        read_raw(path)


def test_a_line_that_is_no_object_is_left_out_and_noted(tmp_path: Path) -> None:
    raw = read_raw(write(tmp_path / "a.jsonl", '{"text": "one"}\n[1]\nnot json\n'))

    assert raw.columns == {"text": ["one"]}
    assert raw.notes == ["a.jsonl: not a JSON object, left out, line (from 0): 1, 2"]


def test_an_empty_column_is_noted(tmp_path: Path) -> None:
    raw = read_raw(write(tmp_path / "a.csv", "text,label\nhello,\n"))

    assert raw.notes == ["column 'label' is empty in every row"]


def test_a_table_without_texts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no column of texts"):
        read_table(write(tmp_path / "a.csv", "a,b\n1,2\n"))


def test_one_column_is_enough(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "words\nI hear you, my friend.\n"))

    assert [text.row_id for text in table.texts] == ["0"]


def test_a_cell_of_a_megabyte_is_cut_and_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"text": "very long " * 100_000}) + "\n")

    result = run_audit(read_table(path), AuditSettings())

    assert not result.failed
    assert "only their start was checked" in result.notes[-1]


def test_a_nested_column_is_noted_and_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "I hear you, friend.", "extra": {"a": 1}}\n')

    assert "nested columns are not looked into: extra" in read_table(path).notes


def test_a_folder_gives_each_file_its_split(tmp_path: Path) -> None:
    for split in ("train", "test"):
        data = pa.table({"text": [f"I hear you in {split}."]})
        (tmp_path / "data").mkdir(exist_ok=True)
        pq.write_table(data, tmp_path / "data" / f"{split}-00000-of-00001.parquet")

    assert {text.split for text in read_table(tmp_path).texts} == {"train", "test"}


def test_a_link_that_leads_out_of_a_folder_is_noted(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "blob", '{"text": "one"}\n')
    (tmp_path / "data" / "train.jsonl").symlink_to("../blob")

    raw = read_raw(tmp_path / "data")

    assert raw.notes == ["train.jsonl: a link that leads out of the folder was read through"]


def test_the_report_of_an_earlier_audit_is_no_part_of_the_folder_it_lies_in(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", '{"text": "one more day"}\n')
    with audit_folder(tmp_path / "audit-data") as part:
        write_result(run_audit(read_table(tmp_path), AuditSettings()), part)

    raw = read_raw(tmp_path)

    assert raw.columns == {"text": ["one more day"]}
    assert raw.notes == ["audit-data: the report of an earlier audit was left out"]


def test_names_that_are_not_utf_8_are_shown_with_their_bytes(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9.v2")
    folder.mkdir()
    write(folder / os.fsdecode(b"tr\xe9.jsonl"), '{"text": "one more day"}\nnone\n')

    table = read_table(folder, against=folder)
    write_result(run_audit(table, AuditSettings()), tmp_path / "out")

    assert table.name == r"caf\xe9.v2"
    assert table.notes == [r"tr\xe9.jsonl: not a JSON object, left out, line (from 0): 1"]


def test_a_parquet_file_under_a_name_that_is_not_utf_8_says_rename_it(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.parquet")
    path.write_bytes(b"PAR1")

    with pytest.raises(TableError, match=r"the path is not UTF-8.*\nRename it"):
        read_raw(path)


def test_a_saved_hugging_face_dataset_is_read_without_the_library(tmp_path: Path) -> None:
    schema = pa.schema([("text", pa.string())])
    path = str(tmp_path / "data-00000-of-00001.arrow")
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(pa.table({"text": ["I hear you, friend."]}, schema=schema))
    write(tmp_path / "dataset_info.json", "{}")

    assert read_table(tmp_path).rows == 1


@pytest.mark.parametrize("name", ["rows.arrow", "train.arrow"])
def test_rows_without_a_column_are_counted_before_anything_is_made_of_them(
    tmp_path: Path, name: str
) -> None:
    none = pa.StructArray.from_buffers(pa.struct([]), 10**12, [None])
    batch = pa.RecordBatch.from_struct_array(none)
    with pa.OSFile(str(tmp_path / name), "wb") as file, pa.ipc.new_stream(file, batch.schema) as to:
        to.write_batch(batch)

    for path in (tmp_path, tmp_path / name):
        with pytest.raises(TableError, match=r"over 2,000,000 rows"):
            read_raw(path)
