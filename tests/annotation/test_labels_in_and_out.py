"""Imports, exports, anchoring and the page."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from pipeline.annotation.anchoring import anchoring
from pipeline.annotation.imports import ANNOMI_CODES, ESCONV_CODES, read_corpus
from pipeline.annotation.pseudonyms import Pseudonyms
from pipeline.annotation.rounds import read_round, write_round
from pipeline.annotation.transfer import (
    one_answer_each,
    read_labels,
    write_items,
    write_labels,
)
from pipeline.errors import RowError, TableError, TargetError
from pipeline.records import Annotation
from pipeline.reporting.annotation_page import annotation_html

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DISTILLERY_DATA", ROOT.parent / "shared" / "data"))
NAMES = Pseudonyms(b"a salt for tests")
CORPORA = {
    "annomi": "annomi/annomi_single_annotator.csv",
    "esconv": "esconv/FailedESConv.json",
    "mi_strategy": "mi_strategy/CC_Augmented.csv",
    "welivita2023": "welivita2023/dataset_and_ratings.csv",
}


def test_round_0_is_what_the_sample_came_with() -> None:
    sample = ROOT / "datasets" / "sample" / "exchanges.jsonl"
    rows = read_round(ROOT / "annotations" / "rounds" / "0.jsonl")

    assert sorted(rows, key=repr) == sorted(read_corpus("sample", sample), key=repr)
    assert {(row.role, row.origin) for row in rows} == {("source", "import:sample")}


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_corpus_comes_back_from_export_unchanged(corpus: str, tmp_path: Path) -> None:
    path = DATA / CORPORA[corpus]
    if not path.is_file():
        pytest.skip("the real data is not here (set DISTILLERY_DATA)")
    rows = read_corpus(corpus, path)
    write_round(tmp_path / "1.jsonl", rows)
    held = read_round(tmp_path / "1.jsonl")
    write_labels(tmp_path / "out.jsonl", held)

    back = list(read_labels(tmp_path / "out.jsonl", NAMES, guidelines="other"))

    assert back == held
    assert len(held) == len(rows)


def test_every_utterance_keeps_its_own_label(tmp_path: Path) -> None:
    path = DATA / CORPORA["annomi"]
    if not path.is_file():
        pytest.skip("the real data is not here (set DISTILLERY_DATA)")
    own = [row for row in read_corpus("annomi", path) if row.question == "annomi_behaviours"]
    counts = Counter(label for row in own for label in row.value)

    assert len(own) == 4666
    assert counts["question: open"] == 903
    assert counts["input: negotiation"] == 132
    assert set(counts) == set(ANNOMI_CODES)


def test_the_written_mapping_is_the_one_in_use() -> None:
    text = (ROOT / "annotations" / "imports.md").read_text()

    for table in (ANNOMI_CODES, ESCONV_CODES):
        for label, code in table.items():
            assert f"| {label} | {code or 'none'} |" in text


def test_names_become_pseudonyms_and_answers_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "potato.csv"
    path.write_text("item_id,annotator,question,value\ni1,Ann,empathy,3\ni1,Ann,tone,warm\n")

    rows = read_labels(path, NAMES, guidelines="1.0.0", own=["tone"])

    assert [(row.value, row.annotator) for row in rows] == [
        (3, NAMES("Ann")),
        ("warm", NAMES("Ann")),
    ]
    path.write_text("item_id,annotator,question,value\ni1,Ann,empathy,4\n")
    with pytest.raises(RowError, match=r"potato\.csv row 1: question empathy: 4 is no answer"):
        read_labels(path, NAMES, guidelines="1.0.0")


def labels(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["item_id,annotator,question,value,role", *rows]) + "\n")
    return path


def test_two_answers_of_one_person_to_one_question_are_refused_with_their_rows(
    tmp_path: Path,
) -> None:
    path = labels(
        tmp_path / "a.csv",
        *("i1,Ann,empathy,3,", "i1,Ben,empathy,2,", "i1,Ann,empathy,1,"),
        *("i2,Ann,comment,so,", "i2,Ann,comment,no,"),
    )

    with pytest.raises(
        TableError,
        match=r"a\.csv: 2 time\(s\) one person gave two answers to one question: "
        r"row 3 and 1, empathy on i1; 5 and 4, comment on i2\nKeep one",
    ) as refused:
        read_labels(path, NAMES, guidelines="1.0.0")

    assert "Ann" not in str(refused.value)


def test_the_same_answer_again_is_one_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    whole = {"item_id": "i1", "annotator": "Ann", "question": "safety"}
    lists = (["unsafe response", "private data"], ["private data", "unsafe response"])
    path.write_text("".join(json.dumps(whole | {"value": value}) + "\n" for value in lists))

    assert len(read_labels(path, NAMES, guidelines="1.0.0")) == 1


def test_a_question_that_nobody_knows_is_refused_with_its_rows_and_a_near_one(
    tmp_path: Path,
) -> None:
    path = labels(
        tmp_path / "a.csv",
        *("i1,Ann,Empathy,3,", "i1,Ann,tone,warm,", "i2,Ann,Empathy,2,"),
    )

    with pytest.raises(
        TableError,
        match=r"2 question\(s\) not of ours: 'Empathy' in row 1, 3; 'tone' in row 2\n"
        r"Was 'empathy' meant\?.*--question 'Empathy'",
    ):
        read_labels(path, NAMES, guidelines="1.0.0")


def test_an_adjudicator_of_another_tool_gets_a_pseudonym_too(tmp_path: Path) -> None:
    path = labels(tmp_path / "a.csv", "i1,Zoe Smith,empathy,3,adjudicator")

    (row,) = read_labels(path, NAMES, guidelines="1.0.0")

    assert row.annotator == NAMES("Zoe Smith")


def test_the_codes_of_a_second_annotator_of_a_corpus_do_not_replace_the_first_ones(
    tmp_path: Path,
) -> None:
    rows = [answer(1, 2, shown=True), answer(1, 3, shown=True)]

    with pytest.raises(TableError, match="two answers to one question: label 2 and 1, empathy on"):
        one_answer_each(tmp_path / "corpus.csv", enumerate(rows, start=1), counted="label")


def answer(item: int, value: int, *, shown: bool) -> Annotation:
    return Annotation(
        item_id=f"i{item}",
        question="empathy",
        value=value,
        status="submitted",
        annotator="a-0123456789ab",
        guidelines="<script>alert(1)</script>",
        suggestion=2,
        suggestion_shown=shown,
        origin="test",
    )


@pytest.mark.parametrize("there", ["years of work\n", '{"id": "x"}\n', "\xff", "{}\n"])
def test_an_export_is_never_written_over_what_it_would_not_write(
    tmp_path: Path, there: str
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text(there, encoding="latin-1")

    with pytest.raises(TargetError, match=r"would not write\nNothing is written over: choose"):
        write_labels(path, [answer(1, 2, shown=True)])
    with pytest.raises(TargetError, match="would not write"):
        write_items(path, [], "responses")

    assert path.read_text(encoding="latin-1") == there


def test_an_export_takes_the_place_of_an_earlier_one_of_the_same_round_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.jsonl"
    write_labels(path, [answer(1, 2, shown=True)])
    write_labels(path, [answer(1, 3, shown=True), answer(2, 3, shown=True)])
    before = path.read_bytes()

    with pytest.raises(TargetError, match="would not write"):
        write_labels(path, [answer(7, 1, shown=True)])

    assert path.read_bytes() == before


def test_anchoring_is_the_difference_between_shown_and_withheld() -> None:
    rows = [answer(i, 2, shown=True) for i in range(40)]
    rows += [answer(100 + i, 2 if i % 2 else 3, shown=False) for i in range(40)]

    effect = anchoring(rows)["empathy"]

    assert (effect["shown"], effect["withheld"], effect["effect"]) == (1.0, 0.5, 0.5)
    assert 0.3 < effect["low"] < 0.5 < effect["high"] < 0.7


def test_anchoring_needs_a_blind_share() -> None:
    assert anchoring([answer(1, 2, shown=True)]) == {}


def test_the_page_loads_nothing_and_escapes_what_comes_from_data() -> None:
    rows = [answer(1, 2, shown=True)]
    report = {
        "rounds": {
            "1": {
                "rows": 1,
                "items": 1,
                "annotators": 1,
                "status": {"submitted": 1},
                "roles": {"annotator": 1},
                "guidelines": [rows[0].guidelines],
            }
        },
        "final_labels": {},
        "agreement": {"interval": "95%", "bands": "some", "questions": {}},
        "anchoring": {},
    }

    page = annotation_html(report, rows)

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http://" not in page
    assert "https://" not in page
