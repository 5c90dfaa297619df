from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from pipeline.annotation.long_table import LongColumns, read_long_table
from pipeline.errors import RowError, TableError


def csv(folder: Path, *rows: str) -> Path:
    path = folder / "answers.csv"
    path.write_text("\n".join(["item,annotator,question,value", *rows]) + "\n")
    return path


def test_a_column_of_numbers_is_numbers_and_another_is_words(tmp_path: Path) -> None:
    path = csv(tmp_path, "i1,ann,stars,3", "i1,ben,stars,4.5", "i1,ann,tone,2", "i1,ben,tone,warm")

    values = {
        (row.question, row.annotator): row.value for row in read_long_table(path, LongColumns())
    }

    assert values == {
        ("stars", "ann"): 3,
        ("stars", "ben"): 4.5,
        ("tone", "ann"): "2",
        ("tone", "ben"): "warm",
    }


def test_lists_are_sets_of_labels(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    row = {"item": "i1", "annotator": "a", "question": "codes", "value": ["Support", "Affirm"]}
    path.write_text(json.dumps(row) + "\n")

    assert read_long_table(path, LongColumns())[0].value == ("Affirm", "Support")


def test_an_empty_value_is_a_missing_answer(tmp_path: Path) -> None:
    assert len(read_long_table(csv(tmp_path, "i1,a,q,", "i1,b,q,2"), LongColumns())) == 1


def test_other_column_names_can_be_told(tmp_path: Path) -> None:
    path = tmp_path / "answers.tsv"
    path.write_text("doc\twho\twhat\tlabel\nd1\tann\tq\tyes\n")
    columns = LongColumns(item="doc", annotator="who", question="what", value="label")

    assert read_long_table(path, columns)[0].unit == "d1"


def test_answering_twice_is_an_error_with_both_rows(tmp_path: Path) -> None:
    path = csv(tmp_path, "i1,ann,q,1", "i1,ben,q,1", "i1,ann,q,2")

    with pytest.raises(
        RowError, match=r"row 3: the same annotator answered q on i1 in row 1 already"
    ):
        read_long_table(path, LongColumns())


def test_a_missing_column_is_named_with_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("item,annotater,question,value\n")

    with pytest.raises(TableError, match="no column annotator\nWas 'annotater' meant"):
        read_long_table(path, LongColumns())


def test_a_table_without_answers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="there is no answer in it"):
        read_long_table(csv(tmp_path), LongColumns())


def test_as_many_questions_as_answers_are_read_in_one_pass(tmp_path: Path) -> None:
    path = csv(tmp_path, *(f"i,a,q{number},1" for number in range(20_000)))
    started = time.process_time()

    assert len(read_long_table(path, LongColumns())) == 20_000
    assert time.process_time() - started < 4


@pytest.mark.parametrize("value", ["1" + "0" * 400, "Infinity", '"nan"', "1e400"])
def test_a_number_without_end_is_an_error_with_its_row(tmp_path: Path, value: str) -> None:
    path = tmp_path / "answers.jsonl"
    row = '{{"item": "i1", "annotator": "ann", "question": "stars", "value": {}}}'
    path.write_text(f"{row.format(3)}\n{row.format(value).replace('i1', 'i2')}\n")

    with pytest.raises(RowError, match=r"row 2: the answer to stars on i2 is too large") as error:
        read_long_table(path, LongColumns())

    assert "ann " not in str(error.value)
