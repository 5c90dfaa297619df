"""Ingest: what is written, and that a failed run writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import MissingFileError, PipelineError, RowError, TableError
from pipeline.records import Exchange, Rejection, Response
from pipeline.stages import ingest
from pipeline.stages.ingest import IngestParams
from pipeline.storage import file_sha256, read_json, read_table
from tests.builds import SAMPLE, write_csv
from tests.sources.raw import study_row

OUTPUTS = ("exchanges.parquet", "responses.parquet", "rejections.parquet", "metrics.json")


def run(folder: Path, raw: Path, source: str = "welivita2024") -> Path:
    """Ingest `raw` into `folder`."""
    ingest.run(
        IngestParams(source=source, path=raw, max_chars=20_000),
        exchanges=folder / "exchanges.parquet",
        responses=folder / "responses.parquet",
        rejections=folder / "rejections.parquet",
        metrics=folder / "metrics.json",
    )
    return folder


def raw_file(folder: Path, rows: Sequence[dict[str, object]]) -> Path:
    return write_csv(folder / "study.csv", rows)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in OUTPUTS if (folder / name).exists()}


def test_exchanges_and_responses_are_in_file_order(tmp_path: Path) -> None:
    out = run(tmp_path, raw_file(tmp_path, [study_row(n) for n in (2, 1)]))

    exchanges = list(read_table(out / "exchanges.parquet", Exchange))
    responses = list(read_table(out / "responses.parquet", Response))
    assert [one.dialogue_id for one in exchanges] == ["hit:2_conv:2", "hit:1_conv:1"]
    assert [one.exchange_id for one in responses] == [one.id for one in exchanges for _ in range(5)]


def test_the_file_that_was_read_is_recorded_with_its_hash(tmp_path: Path) -> None:
    raw = raw_file(tmp_path, [study_row()])

    facts = read_json(run(tmp_path, raw) / "metrics.json")

    assert (facts["file"], facts["sha256"]) == ("study.csv", file_sha256(raw))


def test_unusable_rows_are_counted_by_reason(tmp_path: Path) -> None:
    rows = [
        study_row(1),
        study_row(2, situation="x" * 1_000_000),
        study_row(3, speaker_uttr="ring \x07"),
        study_row(4, speaker_uttr="ring \x07"),
    ]

    out = run(tmp_path, raw_file(tmp_path, rows))

    assert read_json(out / "metrics.json")["rejections"] == {"control_character": 2, "too_long": 1}
    assert len(list(read_table(out / "rejections.parquet", Rejection))) == 3


def test_a_file_with_no_usable_row_is_an_error(tmp_path: Path) -> None:
    raw = raw_file(tmp_path, [study_row(1, situation="ring \x07")])

    with pytest.raises(TableError, match=r"no usable exchange in it \(1 control_character\)"):
        run(tmp_path, raw)


def test_a_path_that_is_not_there_is_named_with_the_command_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.csv[\s\S]*distillery fetch welivita2024"):
        run(tmp_path, tmp_path / "gone.csv")


def test_a_folder_is_no_raw_file(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no such file"):
        run(tmp_path, tmp_path)


@pytest.mark.parametrize(
    "broken",
    [{"rating_human": "7"}, {"response_human": ""}, {"dialog_id": "hit:1_conv:1"}],
    ids=["rating", "empty", "id"],
)
def test_a_failed_run_leaves_the_old_outputs_byte_for_byte(
    tmp_path: Path, broken: dict[str, object]
) -> None:
    run(tmp_path, raw_file(tmp_path, [study_row(1), study_row(2)]))
    before = bytes_of(tmp_path)

    with pytest.raises(RowError, match=r"study\.csv row 2"):
        run(tmp_path, raw_file(tmp_path, [study_row(1), study_row(2, **broken)]))

    assert bytes_of(tmp_path) == before


def test_a_failed_first_run_leaves_nothing(tmp_path: Path) -> None:
    raw = raw_file(tmp_path, [study_row(1, rating_human="7")])

    with pytest.raises(RowError, match="row 1"):
        run(tmp_path / "out", raw)

    assert list((tmp_path / "out").iterdir()) == []


def test_the_same_file_makes_the_same_bytes(tmp_path: Path) -> None:
    one, two = (run(tmp_path / name, SAMPLE, "sample") for name in ("one", "two"))

    assert bytes_of(one) == bytes_of(two)


def test_the_original_raters_are_in_no_output(tmp_path: Path) -> None:
    out = run(tmp_path / "out", raw_file(tmp_path, [study_row(n) for n in range(1, 7)]))

    assert not [name for name, content in bytes_of(out).items() if b"A2WORKER" in content]
    tables = {"exchanges": Exchange, "responses": Response, "rejections": Rejection}
    rows = [
        one for name, kind in tables.items() for one in read_table(out / f"{name}.parquet", kind)
    ]
    assert "A2WORKER" not in str(rows)


def test_a_source_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="source 'nowhere' is not one of sample"):
        IngestParams(source="nowhere", path=tmp_path, max_chars=1)
