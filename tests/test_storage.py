"""Typed tables: round trips and atomic writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import (
    BehaviourCode,
    Exchange,
    Lineage,
    PreferencePair,
    RawLocation,
    Rejection,
    Response,
    SFTExample,
    Turn,
)
from pipeline.storage import (
    BATCH_ROWS,
    TableWriter,
    arrow_schema,
    count_rows,
    file_sha256,
    read_json,
    read_json_lines,
    read_table,
    write_json,
    write_table,
)
from tests.examples import LATE_TRAIN, LOST_JOB, message, pair, response, sft_example

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
NON_BLANK = TEXT.map(lambda text: f"x{text}")
LINEAGE = st.builds(
    Lineage,
    source=NON_BLANK,
    licence=NON_BLANK,
    operation=NON_BLANK,
    parents=st.lists(NON_BLANK, max_size=3).map(tuple),
    prompt_id=st.none() | NON_BLANK,
    request_id=st.none() | NON_BLANK,
)
EXCHANGES = st.builds(
    Exchange,
    id=NON_BLANK,
    dialogue_id=NON_BLANK,
    collection_id=st.none() | TEXT,
    emotion=st.none() | TEXT,
    sentiment=st.none() | TEXT,
    situation=TEXT,
    history=st.lists(
        st.builds(Turn, role=st.sampled_from(["speaker", "listener"]), text=NON_BLANK), max_size=3
    ).map(tuple),
    utterance=NON_BLANK,
    raw=st.builds(RawLocation, file=NON_BLANK, row=st.integers(1, 2**40)),
    lineage=LINEAGE,
)
RESPONSES = st.builds(
    Response,
    id=NON_BLANK,
    exchange_id=NON_BLANK,
    responder=NON_BLANK,
    text=NON_BLANK,
    style=st.none() | TEXT,
    rating=st.none() | st.integers(1, 3),
    rater=st.none() | st.integers(0, 16**12 - 1).map("r-{:012x}".format),
    rater_teq=st.none() | st.integers(0, 64),
    codes=st.none() | st.lists(st.sampled_from(BehaviourCode), max_size=4).map(tuple),
    lineage=LINEAGE,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(EXCHANGES, max_size=5))
def test_exchanges_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, exchanges: list[Exchange]
) -> None:
    path = tmp_path_factory.mktemp("table") / "exchanges.parquet"

    write_table(path, Exchange, exchanges)

    assert list(read_table(path, Exchange)) == exchanges


@settings(max_examples=40, deadline=None)
@given(st.lists(RESPONSES, max_size=5))
def test_responses_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, responses: list[Response]
) -> None:
    path = tmp_path_factory.mktemp("table") / "responses.parquet"

    write_table(path, Response, responses)

    assert list(read_table(path, Response)) == responses


def test_training_rows_come_back_as_they_were(tmp_path: Path) -> None:
    example = sft_example("sft-1", message("user", "a"), message("assistant", "b"))
    preference = pair("kind", "unkind", chosen_rating=3, rejected_rating=1)

    write_table(tmp_path / "sft.parquet", SFTExample, [example])
    write_table(tmp_path / "pairs.parquet", PreferencePair, [preference])

    assert list(read_table(tmp_path / "sft.parquet", SFTExample)) == [example]
    assert list(read_table(tmp_path / "pairs.parquet", PreferencePair)) == [preference]


def test_a_table_of_several_batches_keeps_its_order(tmp_path: Path) -> None:
    rows = BATCH_ROWS * 2 + 1
    path = tmp_path / "rejections.parquet"

    written = write_table(
        path,
        Rejection,
        (Rejection(record_id=f"row-{n}", stage="ingest", reason="odd") for n in range(rows)),
    )

    assert written == count_rows(path) == rows
    assert [one.record_id for one in read_table(path, Rejection)] == [
        f"row-{n}" for n in range(rows)
    ]


def test_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"

    write_table(path, Response, [])

    assert pq.read_schema(path).names == list(Response.model_fields)
    assert list(read_table(path, Response)) == []


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_table(tmp_path / name, Exchange, [LOST_JOB, LATE_TRAIN])

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_long_text_keeps_its_last_character(tmp_path: Path) -> None:
    megabyte = "x" * 1_000_000 + "☂"
    path = tmp_path / "long.parquet"

    write_table(path, Response, [response("human", 2, megabyte)])

    assert next(read_table(path, Response)).text == megabyte


def _breaking_off() -> Iterator[Exchange]:
    yield from [LOST_JOB] * (BATCH_ROWS + 5)
    raise RuntimeError("the lights went out")


def test_a_write_that_breaks_off_leaves_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.parquet"
    write_table(path, Exchange, [LATE_TRAIN])
    before = path.read_bytes()

    with pytest.raises(RuntimeError, match="the lights went out"):
        write_table(path, Exchange, _breaking_off())

    assert path.read_bytes() == before


def test_a_write_that_breaks_off_leaves_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the lights went out"):
        write_table(tmp_path / "exchanges.parquet", Exchange, _breaking_off())

    assert list(tmp_path.iterdir()) == []


def test_rows_that_do_not_fit_the_file_leave_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "locations.parquet"
    write_table(path, RawLocation, [RawLocation(file="a", row=1)])
    before = path.read_bytes()

    with pytest.raises(OverflowError, match="int"):
        write_table(path, RawLocation, [RawLocation(file="a", row=2**70)])

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_table_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.parquet"

    with TableWriter(path, Exchange) as table:
        table.write(LOST_JOB)
        assert not path.exists()

    assert count_rows(path) == 1


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_json(path, {"rows": 1})

    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"rows": float("nan")})

    assert read_json(path) == {"rows": 1}


def test_json_lines_are_read_as_records(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text(json.dumps({"role": "speaker", "text": "hello"}) + "\n", encoding="utf-8")

    assert list(read_json_lines(path, Turn)) == [Turn(role="speaker", text="hello")]


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")

    # The first example of FIPS 180-4.
    assert file_sha256(path).startswith("ba7816bf8f01cfea414140de5dae2223b00361a396177a9c")


def test_a_record_type_without_an_arrow_type_is_our_bug() -> None:
    class Odd(Turn):
        when: complex

    with pytest.raises(TypeError, match="no Arrow type"):
        arrow_schema(Odd)
