"""A small file may stand for gigabytes: it is refused before they are taken."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.unfolding.nasty import (
    a_list_of_nothing,
    long_prefixes,
    one_text_many_times,
    read_within,
    with_another_footer,
)

AUDIT = ("from pipeline.audit.reading import read_raw", "read_raw(path).rows")
BUILD = (
    "from pipeline.sources.rows import iter_rows",
    "sum(1 for _ in iter_rows(path, ['text']))",
)
RECORDS = (
    "from pipeline.storage import open_parquet",
    "sum(batch.num_rows for batch in open_parquet(path).iter_batches(2048))",
)
WHOLE = ("from pipeline.storage import open_parquet", "open_parquet(path).read().num_rows")
PARQUET = pytest.mark.parametrize("reader", [AUDIT, BUILD, RECORDS, WHOLE])


@PARQUET
def test_a_dictionary_of_one_long_text_is_refused(tmp_path: Path, reader: tuple[str, str]) -> None:
    path = one_text_many_times(tmp_path / "t.parquet")

    assert path.stat().st_size < 3_300
    assert "the table unfolds to 8,192 MiB" in read_within(2048, *reader, path)


@pytest.mark.parametrize("reader", [AUDIT, RECORDS, WHOLE])
def test_a_list_of_a_hundred_million_nulls_is_refused(
    tmp_path: Path, reader: tuple[str, str]
) -> None:
    path = a_list_of_nothing(tmp_path / "t.parquet", items=80_000_000)

    assert path.stat().st_size < 3_300
    assert "a row group unfolds to" in read_within(700, *reader, path)


def test_a_footer_that_lies_about_its_values_is_not_believed(tmp_path: Path) -> None:
    path = a_list_of_nothing(tmp_path / "t.parquet", items=80_000_000)
    with_another_footer(path, 80_000_000, 1)

    assert "a row group unfolds to" in read_within(700, *AUDIT, path)


def test_texts_that_begin_as_the_one_before_them_are_counted(tmp_path: Path) -> None:
    path = long_prefixes(tmp_path / "t.parquet")

    assert "the table unfolds to" in read_within(3072, *BUILD, path)


def test_texts_that_a_dictionary_repeats_are_read_a_piece_at_a_time(tmp_path: Path) -> None:
    path = one_text_many_times(tmp_path / "t.parquet", mib=8, rows=100)

    assert read_within(512, *BUILD, path) == "read 100\n"


def test_a_new_key_in_every_row_is_no_column_of_every_row(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for row in range(100_000):
            stream.write(json.dumps({"text": "I hear you.", f"key {row}": row}) + "\n")

    assert read_within(1536, *AUDIT, path) == "read 100000\n"


@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
def test_json_of_empty_lists_is_refused_before_it_is_parsed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('[{"text": [' + "[]," * 15_000_000 + "1]}]\n", encoding="utf-8")

    assert "a JSON text in it unfolds to" in read_within(512, *AUDIT, path)


def test_a_csv_file_that_never_closes_a_quotation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('text\n"' + "I hear you.\n" * 12_000_000, encoding="utf-8")

    assert "a row of over" in read_within(768, *AUDIT, path)


def test_an_archive_of_one_endless_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("train.csv")
        member.size = 1 << 30
        archive.addfile(member, io.BytesIO(b"\0" * member.size))
    read = "sum(1 for _ in get_source('empathetic_dialogues').read(path, ReadOptions(max_chars=9)))"

    assert path.stat().st_size < 2_000_000
    found = read_within(512, "from pipeline.sources import ReadOptions, get_source", read, path)
    assert "line 1 is over 64 MiB long" in found


def test_packed_buffers_of_an_arrow_stream_are_counted(tmp_path: Path) -> None:
    path, zeros = tmp_path / "t.arrow", pa.array(np.zeros(140_000_000, np.int64))
    batch = pa.record_batch([zeros], ["text"])
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_stream(sink, batch.schema, options=options) as stream,
    ):
        stream.write_batch(batch)

    assert path.stat().st_size < 1_000_000
    assert "a batch unfolds to" in read_within(512, *AUDIT, path)


def test_an_arrow_stream_of_nulls_without_bytes_is_counted(tmp_path: Path) -> None:
    path, schema = tmp_path / "t.arrow", pa.schema({"text": pa.null()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
        stream.write_batch(pa.record_batch([pa.nulls(10**9)], schema))

    assert "refused" in read_within(2560, *AUDIT, path)
