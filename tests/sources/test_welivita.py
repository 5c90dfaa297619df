"""The two rated studies: wide rows become exchanges with rated responses."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import RowError, TableError
from pipeline.records import BehaviourCode, Rejection
from pipeline.sources.base import Sourced
from pipeline.sources.pseudonyms import PUBLISHED
from pipeline.sources.welivita import WELIVITA2023, WELIVITA2024
from tests.builds import read, write_csv, write_jsonl
from tests.sources.raw import STUDY_2023, STUDY_2024, study_row


def _one(tmp_path: Path, **changed: object) -> Sourced:
    (item,) = read(WELIVITA2024, write_csv(tmp_path / "study.csv", [study_row(**changed)]))
    assert isinstance(item, Sourced)
    return item


def test_a_row_becomes_an_exchange(tmp_path: Path) -> None:
    exchange = _one(tmp_path).exchange

    assert exchange.dialogue_id == "hit:1_conv:1"
    assert exchange.collection_id == "hit:1"
    assert (exchange.emotion, exchange.sentiment) == ("sad", "negative")
    assert exchange.utterance == "Someone returned the wallet I had given up on!"
    assert (exchange.raw.file, exchange.raw.row) == ("study.csv", 1)


def test_each_responder_gives_one_response(tmp_path: Path) -> None:
    responses = _one(tmp_path, ratings=[1, 2, 3, 2, 1]).responses

    assert [one.responder for one in responses] == list(STUDY_2024)
    assert [one.rating for one in responses] == [1, 2, 3, 2, 1]
    assert [one.rater_teq for one in responses] == [40, 41, 42, 43, 44]


def test_a_response_names_its_exchange_as_parent(tmp_path: Path) -> None:
    item = _one(tmp_path)

    assert {one.lineage.parents for one in item.responses} == {(item.exchange.id,)}
    assert {one.exchange_id for one in item.responses} == {item.exchange.id}


def test_the_same_rater_has_the_same_pseudonym_in_every_row_and_on_every_machine(
    tmp_path: Path,
) -> None:
    rows = [study_row(1, annotator_human="A2WORKER"), study_row(2, annotator_human="A2WORKER")]
    first, second = read(WELIVITA2024, write_csv(tmp_path / "study.csv", rows))

    assert first.responses[0].rater == second.responses[0].rater == PUBLISHED.pseudonym("A2WORKER")
    assert PUBLISHED.pseudonym("A2WORKER") == "r-101a7776e3b5"
    assert len({one.rater for one in first.responses}) == 5


def test_ids_do_not_depend_on_the_order_of_rows_or_the_name_of_the_file(tmp_path: Path) -> None:
    rows = [study_row(1), study_row(2)]
    there = read(WELIVITA2024, write_csv(tmp_path / "one.csv", rows))
    back = read(WELIVITA2024, write_csv(tmp_path / "two.csv", rows[::-1]))

    assert {one.exchange.id for one in there} == {one.exchange.id for one in back}
    assert {one.id for item in there for one in item.responses} == {
        one.id for item in back for one in item.responses
    }


def test_every_row_says_that_no_licence_is_stated(tmp_path: Path) -> None:
    item = _one(tmp_path)

    assert {one.lineage.licence for one in (item.exchange, *item.responses)} == {"none stated"}


def test_the_earlier_study_has_a_code_per_sentence(tmp_path: Path) -> None:
    row = study_row(responders=STUDY_2023)
    (item,) = read(WELIVITA2023, write_csv(tmp_path / "study.csv", [row]))

    assert item.responses[0].codes == (BehaviourCode.SUPPORT, BehaviourCode.OPEN_QUESTION)


@pytest.mark.parametrize("rating", ["4", "0", "2.5", "good", "", "nan", "-1", "1e9"])
def test_a_rating_outside_one_to_three_is_named_with_its_row(tmp_path: Path, rating: str) -> None:
    rows = [study_row(1), study_row(2, rating_gemini_empathy=rating)]
    path = write_csv(tmp_path / "study.csv", rows)

    with pytest.raises(RowError, match=r"study\.csv row 2: rating_gemini_empathy is '.*'\nRatings"):
        read(WELIVITA2024, path)


@pytest.mark.parametrize("rating", ["3", "3.0", " 3 "])
def test_a_whole_rating_may_be_written_as_a_number_with_a_point(
    tmp_path: Path, rating: str
) -> None:
    assert _one(tmp_path, rating_human=rating).responses[0].rating == 3


@pytest.mark.parametrize(
    "column", ["dialog_id", "situation", "speaker_uttr", "response_human", "annotator_human"]
)
@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_field_is_named_with_its_row(tmp_path: Path, column: str, text: str) -> None:
    path = write_csv(tmp_path / "study.csv", [study_row(1), study_row(2, **{column: text})])

    with pytest.raises(RowError, match=rf"study\.csv row 2: {column} is empty\nFill it in"):
        read(WELIVITA2024, path)


def test_a_dialogue_that_comes_twice_is_named_with_its_row(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "study.csv", [study_row(1), study_row(2), study_row(1)])

    with pytest.raises(RowError, match=r"row 3: dialogue id hit:1_conv:1 is there a second time"):
        read(WELIVITA2024, path)


def test_a_renamed_column_is_named(tmp_path: Path) -> None:
    row = study_row()
    row["ratings_human"] = row.pop("rating_human")

    with pytest.raises(TableError, match=r"no column rating_human\nWas 'ratings_human' meant\?"):
        read(WELIVITA2024, write_csv(tmp_path / "study.csv", [row]))


@pytest.mark.parametrize("teq", ["", "high", "3.5"])
def test_a_questionnaire_total_must_be_a_whole_number(tmp_path: Path, teq: str) -> None:
    path = write_csv(tmp_path / "study.csv", [study_row(empathy_propensity_human=teq)])

    with pytest.raises(
        RowError, match=r"row 1: empathy_propensity_human is .*\nIt must be a whole number"
    ):
        read(WELIVITA2024, path)


@pytest.mark.parametrize(
    "codes", ["['Scold']", "Support", "", "[", "__import__('os').getcwd()", "[" * 300, "3"]
)
def test_codes_that_are_none_are_named_with_their_row(tmp_path: Path, codes: str) -> None:
    row = study_row(responders=STUDY_2023, miti_chatgpt=codes)

    with pytest.raises(RowError, match="row 1: miti_chatgpt is no list of behaviour codes"):
        read(WELIVITA2023, write_csv(tmp_path / "study.csv", [row]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [("x" * 1_000_000, "too_long"), ("ring \x07 the bell", "control_character")],
)
@pytest.mark.parametrize("column", ["situation", "speaker_uttr", "response_llama_empathy"])
def test_an_unusable_text_is_rejected_and_the_other_rows_are_read(
    tmp_path: Path, column: str, text: str, reason: str
) -> None:
    rows = [study_row(1, **{column: text}), study_row(2)]

    items = read(WELIVITA2024, write_csv(tmp_path / "study.csv", rows))

    assert [one.reason for one in items if isinstance(one, Rejection)] == [reason]
    assert "hit:2_conv:2" in [one.exchange.dialogue_id for one in items if isinstance(one, Sourced)]


def test_an_unusable_emotion_does_not_crash(tmp_path: Path) -> None:
    row = study_row(emotion="sad\x00", sentiment="x" * 1_000_000)

    items = read(WELIVITA2024, write_csv(tmp_path / "study.csv", [row]))

    assert [one.reason for one in items if isinstance(one, Rejection)] == ["control_character"]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_ids_that_are_numbers_are_read_in_other_formats(tmp_path: Path, ending: str) -> None:
    row = study_row(dialog_id=7, emotion=None, sentiment=3)
    path = tmp_path / f"study.{ending}"
    if ending == "jsonl":
        write_jsonl(path, [row])
    else:
        pq.write_table(pa.Table.from_pylist([row]), path)

    (item,) = read(WELIVITA2024, path)

    assert item.exchange.dialogue_id == "7"
    assert (item.exchange.emotion, item.exchange.sentiment) == (None, "3")
