"""The id of any row of any export is found, after a rename and a shuffle as well."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import RowError, TableError
from pipeline.exports import formats
from pipeline.reporting.row_ids import row_id_of
from tests.exports.corpus import export_small, small_build


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_build(tmp_path / "build")


@pytest.mark.parametrize(
    ("format_name", "file"),
    [
        ("hf", "data/sft/train-00000-of-00001.parquet"),
        ("trl", "data/sft/train-00000-of-00001.parquet"),
        ("llama-factory", "sft-train.jsonl"),
        ("axolotl", "sft-train.jsonl"),
        ("openai-finetune", "sft-train.jsonl"),
        ("csv", "sft-train.csv"),
    ],
)
def test_a_row_of_every_format_has_an_id(
    folder: Path, tmp_path: Path, format_name: str, file: str
) -> None:
    export_small(folder, tmp_path / "out", format_name)
    path = tmp_path / "out" / file

    assert [row_id_of(f"{path}:{row}") for row in (1, 2, 3)] == ["sft-0", "sft-2", "sft-4"]


def test_a_line_without_an_id_is_found_after_a_rename_and_a_shuffle(
    folder: Path, tmp_path: Path
) -> None:
    export_small(folder, tmp_path / "out", "openai-finetune")
    path = tmp_path / "out" / "sft-train.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1]
    shuffled = random.Random(1).sample(lines, len(lines))  # a shuffle is no secret
    renamed = path.rename(path.with_name("mine.jsonl"))
    renamed.write_bytes(b"".join(line + b"\r\n" for line in shuffled))

    ids = ["sft-0", "sft-2", "sft-4"]
    assert [row_id_of(f"{renamed}:{row}") for row in (1, 2, 3)] == [
        ids[lines.index(line)] for line in shuffled
    ]


def test_a_line_of_a_table_that_was_cut_is_found_in_any_of_its_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        formats.FORMATS.built_in,
        "openai-finetune",
        replace(
            formats.FORMATS["openai-finetune"],
            open=partial(formats._open_lines, formats._openai, with_ids=True, max_bytes=300),
        ),
    )
    exported = export_small(folder, tmp_path / "out", "openai-finetune")
    files = next(part.files for part in exported.parts if part.kind == "sft")
    data = [tmp_path / "out" / name for name in files if not name.endswith(".ids.jsonl")]

    assert len(data) > 1
    assert [
        row_id_of(f"{file}:{row}")
        for file in data
        for row in range(1, 1 + file.read_bytes().count(b"\n"))
    ] == ["sft-0", "sft-2", "sft-4"]


def test_a_line_that_nothing_knows_is_an_error(folder: Path, tmp_path: Path) -> None:
    export_small(folder, tmp_path / "out", "openai-finetune")
    path = tmp_path / "out" / "sft-train.jsonl"
    path.write_text('{"messages": []}\n')

    with pytest.raises(RowError, match=r"row 1: it has no id, .*ids\.jsonl\)\nGive"):
        row_id_of(f"{path}:1")


@pytest.mark.parametrize("file", ["sft-train.jsonl", "sft-train.csv"])
def test_a_row_behind_the_end_is_an_error(folder: Path, tmp_path: Path, file: str) -> None:
    export_small(folder, tmp_path / "out", "csv" if file.endswith("csv") else "axolotl")

    with pytest.raises(RowError, match=r"row 99: the file has no such row\nRows are"):
        row_id_of(f"{tmp_path / 'out' / file}:99")


def test_a_line_that_is_no_json_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{\n")

    with pytest.raises(RowError, match="row 1: not JSON"):
        row_id_of(f"{tmp_path / 'rows.jsonl'}:1")


@pytest.mark.parametrize("file", ["rows.jsonl", "rows.csv"])
@pytest.mark.parametrize("digits", [19, 23, 5000])
def test_a_row_of_a_number_that_no_file_has_is_an_error(
    tmp_path: Path, file: str, digits: int
) -> None:
    (tmp_path / file).write_text("id\n1\n")

    with pytest.raises(TableError, match=r"there is no row '9+'.*\nRows are counted from 1"):
        row_id_of(f"{tmp_path / file}:{'9' * digits}")


def test_a_line_that_is_nested_too_deeply_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("[" * 100_000)

    with pytest.raises(RowError, match="row 1: not JSON"):
        row_id_of(f"{tmp_path / 'rows.jsonl'}:1")


@pytest.mark.parametrize("text", ["sft-1", "no/such/file.jsonl:3", "response-1#2", "a:b"])
def test_what_names_no_file_is_an_id(text: str) -> None:
    assert row_id_of(text) == text
