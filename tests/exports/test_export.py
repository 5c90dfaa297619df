"""What an export holds, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import MissingFileError, PipelineError, TableError, TargetError
from pipeline.exports.export import MayNotPublishError, export_corpora
from pipeline.exports.tables import Splits, UnknownCorpusError
from pipeline.records import SplitAssignment
from pipeline.storage import file_sha256, write_table
from tests.exports.corpus import CORPUS, TRAIN, export_small, names, plain_card, small_build


def test_the_manifest_names_every_file_with_its_hash(build: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_small(build, out, "hf")

    manifest = json.loads((out / "export.json").read_text())

    files = {str(one.relative_to(out)) for one in out.rglob("*") if one.is_file()}
    assert set(manifest["sha256"]) == files - {"export.json"}
    assert all(file_sha256(out / name) == digest for name, digest in manifest["sha256"].items())


def test_the_same_build_gives_the_same_bytes(build: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_small(build, tmp_path / name, "hf")

    assert (tmp_path / "one/export.json").read_bytes() == (
        tmp_path / "two/export.json"
    ).read_bytes()


def test_only_the_kinds_that_were_asked_for_are_written(build: Path, tmp_path: Path) -> None:
    exported = export_small(build, tmp_path / "out", "csv", kinds=["preferences-strict"])

    assert {part.kind for part in exported.parts} == {"preferences-strict"}


def test_a_kind_without_rows_is_left_out(tmp_path: Path) -> None:
    build = small_build(tmp_path / "build", empty=["preferences-strict"])

    exported = export_small(build, tmp_path / "out", "hf")

    assert {part.kind for part in exported.parts} == {"sft", "preferences-authors"}


def test_a_kind_without_rows_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    build = small_build(tmp_path / "build", empty=["preferences-strict"])

    with pytest.raises(TableError, match=r"no row in it, nothing to export\n.*rejections say why"):
        export_small(build, tmp_path / "out", "hf", kinds=["preferences-strict"])


def test_a_corpus_without_any_row_is_an_error(tmp_path: Path) -> None:
    kinds = ("sft", "preferences-strict", "preferences-authors")
    build = small_build(tmp_path / "build", empty=kinds)

    with pytest.raises(PipelineError, match="corpus direct-small: none of its tables has a row"):
        export_small(build, tmp_path / "out", "hf")

    assert names(tmp_path) == ["build"]


@pytest.mark.parametrize("name", ["../build", "direct-smal", ""])
def test_an_unknown_corpus_is_an_error_that_names_those_there_are(
    build: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UnknownCorpusError, match="There are: direct-small"):
        export_corpora(build, [name], tmp_path / "out", format_name="hf", card=plain_card)


def test_an_unknown_format_is_an_error_that_names_those_there_are(
    build: Path, tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match=r"format 'xlsx': not known\nThere are: hf, trl, "):
        export_small(build, tmp_path / "out", "xlsx")


def test_a_folder_without_a_build_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="Run `make repro`"):
        export_small(tmp_path, tmp_path / "out", "hf")


def test_a_row_whose_exchange_has_no_split_stops_the_export(build: Path, tmp_path: Path) -> None:
    only = SplitAssignment(exchange_id=TRAIN, split="train", group="a", rule="made")
    write_table(build / "datasets/splits.parquet", SplitAssignment, [only])

    with pytest.raises(TableError, match="exchange exchange-test has no split"):
        export_small(build, tmp_path / "out", "hf")

    assert names(tmp_path) == ["build"]


def test_rows_without_a_licence_are_not_exported_for_publishing(tmp_path: Path) -> None:
    build = small_build(tmp_path / "build", licence="none stated")

    with pytest.raises(MayNotPublishError, match=r"direct-small \(none stated\)\nLeave --publish"):
        export_small(build, tmp_path / "out", "hf", publish=True)

    assert names(tmp_path) == ["build"]


def test_rows_without_a_licence_may_be_exported_for_oneself(tmp_path: Path) -> None:
    build = small_build(tmp_path / "build", licence="none stated")

    exported = export_small(build, tmp_path / "out", "hf")

    assert (exported.licence, exported.may_be_published) == ("none stated", False)


def test_one_row_without_a_licence_decides(build: Path, tmp_path: Path) -> None:
    other = small_build(tmp_path / "other", licence="none stated")
    for kind in ("strict", "authors"):
        file = f"datasets/preferences/{kind}/{CORPUS}.parquet"
        shutil.copy(other / file, build / file)

    with pytest.raises(MayNotPublishError, match="none stated"):
        export_small(build, tmp_path / "out", "hf", publish=True)


def test_a_licensed_corpus_is_exported_for_publishing(build: Path, tmp_path: Path) -> None:
    assert export_small(build, tmp_path / "out", "hf", publish=True).may_be_published


def test_a_disk_that_is_full_at_the_end_leaves_nothing(build: Path, tmp_path: Path) -> None:
    def no_card(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with pytest.raises(TargetError, match="No space left on device\nNothing was kept"):
        export_corpora(build, [CORPUS], tmp_path / "out", format_name="csv", card=no_card)

    assert names(tmp_path) == ["build"]


def test_rows_in_another_order_than_the_splits_find_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.exports.tables.BATCH_ROWS", 2)
    ids = [f"exchange-{number}" for number in range(50)]
    assigned = [
        SplitAssignment(
            exchange_id=one, split="test" if one.endswith("7") else "train", group=one, rule="made"
        )
        for one in ids
    ]
    write_table(tmp_path / "splits.parquet", SplitAssignment, assigned)
    splits = Splits(tmp_path / "splits.parquet")
    asked = [ids[0], ids[40], ids[7], ids[8], ids[47], ids[1], ids[27]]

    found = [
        side
        for start in range(0, len(asked), 2)
        for side in splits.of(pa.array(asked[start : start + 2])).to_pylist()
    ]

    assert found == ["train", "train", "test", "train", "test", "train", "test"]
