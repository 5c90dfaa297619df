"""A person's own corpus, with mapped columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError, RowError, TableError
from pipeline.records import Rejection
from pipeline.sources import ReadOptions, TableColumns
from pipeline.sources.licences import UnknownLicenceError
from pipeline.sources.pseudonyms import Raters
from pipeline.sources.table import TABLE
from tests.builds import kept, read, write_csv, write_jsonl
from tests.sources.raw import table_row

COLUMNS = TableColumns.model_validate(
    {
        "utterance": "utterance",
        "dialogue_id": "id",
        "responses": {
            "human": {
                "text": "response_human",
                "rating": "rating_human",
                "rater": "annotator_human",
            },
            "bot": {"text": "response_bot", "rating": "rating_bot"},
        },
        "licence": "CC-BY-4.0",
    }
)
RATERS = Raters(b"a key for tests")
WITHOUT_IDS = COLUMNS.model_copy(update={"dialogue_id": None})


def _read(tmp_path: Path, *rows: dict[str, object], columns: TableColumns = COLUMNS) -> list[Any]:
    return read(TABLE, write_csv(tmp_path / "mine.csv", rows), columns=columns, raters=RATERS)


def _rejected(items: list[Any]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Rejection)]


def test_a_row_becomes_an_exchange_with_its_responses(tmp_path: Path) -> None:
    (item,) = _read(tmp_path, table_row(1))

    assert item.exchange.dialogue_id == "d1"
    assert item.exchange.situation == ""
    assert [(one.responder, one.rating, one.rater) for one in item.responses] == [
        ("human", 2, RATERS.pseudonym("W1@example")),
        ("bot", 3, None),
    ]


def test_every_row_carries_the_licence_of_the_table(tmp_path: Path) -> None:
    (item,) = _read(tmp_path, table_row())

    assert {one.lineage.licence for one in (item.exchange, *item.responses)} == {"CC-BY-4.0"}


def test_an_unknown_licence_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownLicenceError, match="not known"):
        _read(tmp_path, table_row(), columns=COLUMNS.model_copy(update={"licence": "mine"}))


def test_without_a_mapping_init_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mine.csv", [table_row()])

    with pytest.raises(PipelineError, match=r"ingest\.columns is missing[\s\S]*distillery init"):
        next(TABLE.read(path, ReadOptions(max_chars=100)))


def test_a_mapped_column_that_is_missing_is_named(tmp_path: Path) -> None:
    row = table_row()
    row["rating"] = row.pop("rating_human")

    with pytest.raises(TableError, match=r"mine\.csv: no column rating_human"):
        _read(tmp_path, row)


@pytest.mark.parametrize("rating", ["0", "4", "great"])
def test_a_rating_outside_one_to_three_is_named_with_its_row(tmp_path: Path, rating: str) -> None:
    with pytest.raises(RowError, match=rf"mine\.csv row 2: rating_human is '{rating}'"):
        _read(tmp_path, table_row(1), table_row(2, rating_human=rating))


@pytest.mark.parametrize("column", ["id", "utterance", "response_human"])
def test_an_empty_field_is_named_with_its_row(tmp_path: Path, column: str) -> None:
    with pytest.raises(RowError, match=rf"mine\.csv row 2: {column} is empty"):
        _read(tmp_path, table_row(1), table_row(2, **{column: " "}))


def test_a_responder_who_said_nothing_has_no_response(tmp_path: Path) -> None:
    (item,) = _read(tmp_path, table_row(response_bot="", rating_bot=""))

    assert [one.responder for one in item.responses] == ["human"]


def test_a_response_need_not_be_rated(tmp_path: Path) -> None:
    (item,) = _read(tmp_path, table_row(rating_bot=""))

    assert item.responses[1].rating is None


def test_an_id_that_comes_twice_is_named_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(RowError, match=r"mine\.csv row 3: id d1 is there a second time"):
        _read(tmp_path, table_row(1), table_row(2), table_row(3, id="d1"))


def test_without_ids_a_repeated_row_is_rejected(tmp_path: Path) -> None:
    items = _read(tmp_path, table_row(1), table_row(1), columns=WITHOUT_IDS)

    assert len(kept(items)) == 1
    assert _rejected(items) == ["duplicate_exchange"]


def test_without_ids_every_row_is_a_dialogue_of_its_own(tmp_path: Path) -> None:
    items = kept(_read(tmp_path, table_row(1), table_row(2), columns=WITHOUT_IDS))

    assert len({item.exchange.dialogue_id for item in items}) == 2


def test_an_unusable_utterance_is_a_rejection(tmp_path: Path) -> None:
    items = _read(tmp_path, table_row(1, utterance="x" * 1_000_000), table_row(2))

    assert _rejected(items) == ["too_long"]
    assert [item.exchange.dialogue_id for item in kept(items)] == ["d2"]


def test_an_unusable_response_leaves_the_others(tmp_path: Path) -> None:
    items = _read(tmp_path, table_row(response_human="ring \x07 the bell"))

    assert _rejected(items) == ["control_character"]
    assert [one.responder for one in kept(items)[0].responses] == ["bot"]


@pytest.mark.parametrize("column", ["id", "emotion", "utterance", "response_bot"])
def test_half_a_character_is_a_rejection(tmp_path: Path, column: str) -> None:
    row = table_row(1) | {"emotion": "sad"} | {column: "half \ud83d"}
    path = write_jsonl(tmp_path / "mine.jsonl", [row])

    items = read(TABLE, path, columns=COLUMNS.model_copy(update={"emotion": "emotion"}))

    assert _rejected(items) == ["half_a_character"]


@pytest.mark.parametrize(
    "text",
    ["{{ 7 * 7 }} {% include 'x' %}", "<b onclick='x'>&amp;</b>", "$(reboot) `ls` | rm -rf ~"],
)
def test_text_is_never_interpreted(tmp_path: Path, text: str) -> None:
    (item,) = _read(tmp_path, table_row(utterance=text, response_bot=text))

    assert item.exchange.utterance == text
    assert item.responses[1].text == text


def test_the_original_rater_is_nowhere_in_what_is_read(tmp_path: Path) -> None:
    items = _read(tmp_path, *(table_row(number) for number in range(1, 7)))

    assert "@example" not in "".join(str(item) for item in items)


def test_values_of_other_types_are_read_as_text(tmp_path: Path) -> None:
    row = table_row(id=7, utterance=12, rating_human=2, rating_bot=3.0)
    path = write_jsonl(tmp_path / "mine.jsonl", [row])

    (item,) = read(TABLE, path, columns=COLUMNS)

    assert (item.exchange.dialogue_id, item.exchange.utterance) == ("7", "12")
    assert [one.rating for one in item.responses] == [2, 3]


@pytest.mark.parametrize(
    "changed",
    [{"rating_human": 7}, {"utterance": " "}, {"id": ""}, {"response_human": ""}, {"id": "d1"}],
    ids=["rating", "utterance", "id", "response", "twice"],
)
def test_no_error_about_a_row_names_its_rater(tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(RowError, match=r"mine\.csv row 2") as error:
        _read(tmp_path, table_row(1), table_row(2) | changed)

    assert "@example" not in str(error.value)
