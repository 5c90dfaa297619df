from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.annotation.rounds import (
    add_to_round,
    disagreements,
    merge,
    read_round,
    resolve,
    round_files,
    write_round,
)
from pipeline.errors import PipelineError, RowError, TargetError
from pipeline.records import Annotation, AnswerValue
from pipeline.storage import Claim


def said(annotator: str, value: AnswerValue | None, item: str = "i1", **more: object) -> Annotation:
    """Return a submitted answer about empathy."""
    fields = {"question": "empathy", "status": "submitted", "guidelines": "1.0.0", "origin": "test"}
    return Annotation(item_id=item, annotator=annotator, value=value, **(fields | more))


def test_a_round_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rows = [
        said("a", 3, answered_at=datetime(2026, 1, 2, tzinfo=UTC)),
        said("a", ("Affirm", "Support"), question="codes", sentence=0, suggestion=("Affirm",)),
        said("b", "a thought", question="comment"),
        said("b", None, question="record", status="discarded"),
    ]
    write_round(tmp_path / "1.jsonl", rows)

    assert sorted(read_round(tmp_path / "1.jsonl"), key=repr) == sorted(rows, key=repr)


def test_the_order_of_a_round_does_not_depend_on_that_of_the_answers(tmp_path: Path) -> None:
    rows = [said("b", 1), said("a", 2), said("a", 2, item="i0")]
    write_round(tmp_path / "1.jsonl", rows)
    write_round(tmp_path / "2.jsonl", rows[::-1])

    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()


def test_an_answer_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    write_round(tmp_path / "1.jsonl", [said("a", 1), said("a", 2)])

    with pytest.raises(RowError, match="row 2: the same answer as row 1"):
        read_round(tmp_path / "1.jsonl")


def test_a_submitted_answer_needs_a_value() -> None:
    with pytest.raises(ValueError, match="a submitted answer needs a value"):
        said("a", None)


def test_a_stray_file_among_the_rounds_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "final.jsonl").touch()

    with pytest.raises(PipelineError, match=r"a round is called <number>\.jsonl"):
        round_files(tmp_path)


def test_merging_the_same_answers_again_changes_nothing() -> None:
    rows = [said("a", 1), said("b", 2)]

    again = merge(rows, rows)

    assert (again.new, again.changed, again.gone) == (0, 0, 0)
    assert set(again.annotations) == set(rows)


def test_a_revised_answer_takes_the_new_value_and_a_lost_one_is_kept() -> None:
    merged = merge([said("a", 1), said("left", 2)], [said("a", 3), said("new", 2)])

    assert (merged.new, merged.changed, merged.gone) == (1, 1, 1)
    assert {(row.annotator, row.value) for row in merged.annotations} == {
        ("a", 3),
        ("left", 2),
        ("new", 2),
    }


def test_a_record_that_was_answered_after_all_is_no_longer_discarded() -> None:
    discarded = said("a", None, question="record", status="discarded")

    assert merge([discarded], [said("a", 2)]).annotations == (said("a", 2),)


def test_answers_to_one_question_leave_those_to_the_others_where_records_are_not_whole() -> None:
    old = [said("a", 1), said("a", "Affirm", question="comment"), said("b", 2)]

    merged = merge(old, [said("a", 3)], whole_records=False)

    assert (merged.new, merged.changed) == (0, 1)
    assert set(merged.annotations) == {said("a", 3), *old[1:]}


def test_a_discarded_record_has_no_answers_even_where_records_are_not_whole() -> None:
    discarded = said("a", None, question="record", status="discarded")

    assert merge([said("a", 2)], [discarded], whole_records=False).annotations == (discarded,)
    assert merge([discarded], [said("a", 2)], whole_records=False).annotations == (said("a", 2),)


@pytest.mark.parametrize(
    ("rows", "values", "method", "agreeing"),
    [
        ([said("a", 3)], ("3",), "sole", 1),
        ([said("a", 3), said("b", 3)], ("3",), "unanimous", 2),
        ([said("a", 3), said("b", 3), said("c", 1)], ("3",), "majority", 2),
        ([said("a", 3), said("b", 1), said("z", 2, role="adjudicator")], ("2",), "adjudicated", 0),
        ([said("corpus", 1, role="source")], ("1",), "source", 1),
        ([said("corpus", 1, role="source"), said("a", 2)], ("2",), "sole", 1),
    ],
)
def test_the_final_label_says_how_it_came_about(
    rows: list[Annotation], values: tuple[str, ...], method: str, agreeing: int
) -> None:
    (label,) = resolve(rows, 4)

    assert (label.values, label.method, label.agreeing, label.round) == (
        values,
        method,
        agreeing,
        4,
    )


def test_without_a_majority_there_is_no_label() -> None:
    assert list(resolve([said("a", 1), said("b", 3)], 1)) == []


def test_drafts_and_discards_do_not_vote() -> None:
    rows = [said("a", 3), said("b", 1, status="draft"), said("c", 1, status="discarded")]

    assert next(iter(resolve(rows, 1))).values == ("3",)


def test_disagreements_name_the_questions_and_end_with_a_ruling() -> None:
    rows = [
        said("a", 1),
        said("b", 2),
        said("a", ("Affirm",), question="codes", sentence=0),
        said("b", ("Affirm",), question="codes", sentence=0),
        said("a", "one", question="comment"),
        said("b", "two", question="comment"),
        said("a", 1, item="same"),
        said("b", 1, item="same"),
    ]

    assert disagreements(rows) == {"i1": ("empathy",)}
    assert disagreements([*rows, said("z", 2, role="adjudicator")]) == {}


def test_of_two_who_add_to_a_round_at_once_the_second_is_told_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    path = tmp_path / "1.jsonl"
    write_round(path, [said("a", 1)])
    with Claim(path), pytest.raises(TargetError, match="has been writing it since"):
        add_to_round(path, [said("b", 2)])

    merged, rows = add_to_round(path, [said("c", 3)])

    assert (merged.new, rows) == (1, 2)


def test_two_files_of_one_round_are_an_error(tmp_path: Path) -> None:
    for name in ("1.jsonl", "01.jsonl"):
        write_round(tmp_path / name, [said("a", 1)])

    with pytest.raises(PipelineError, match=r"round 1 is there twice"):
        round_files(tmp_path)
