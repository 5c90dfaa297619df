from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.sources import ReadOptions, Sourced, get_source
from pipeline.text.sentences import asks, sentence_spans, split_sentences
from studies.scoring.data import COPIED, read_pairs

SAMPLE = Path(__file__).resolve().parents[2] / "datasets" / "sample" / "exchanges.jsonl"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("That hurts. Did it help to leave?", 2),
        ("Oh no!! What now?", 2),
        ("I see... it was a long day.", 1),
        ("Ask Dr. Moss about it.", 1),
        ('"Never again." Was that it?', 2),
        ("no end mark", 1),
        ("   ", 0),
    ],
)
def test_sentences_are_counted_as_a_reader_would(text: str, count: int) -> None:
    assert len(split_sentences(text)) == count


@pytest.mark.parametrize(
    ("sentence", "is_question"),
    [("Was that it?", True), ('"Was that it?"', True), ("Really?!", True), ("Why? I see.", False)],
)
def test_a_question_is_one_by_its_end(sentence: str, *, is_question: bool) -> None:
    assert asks(sentence) == is_question


def test_a_span_is_where_its_sentence_stands() -> None:
    text = "  Wait... what?! \n Dr. Moss, oh.  And then "

    assert [text[start:end] for start, end in sentence_spans(text)] == [
        "Wait... what?!",
        "Dr. Moss, oh.",
        "And then",
    ]


def test_the_samples_sentences_are_found_again() -> None:
    sourced = get_source("sample").read(SAMPLE, ReadOptions(max_chars=20_000))
    responses = [one for item in sourced if isinstance(item, Sourced) for one in item.responses]

    assert (
        np.mean([len(split_sentences(one.text)) == len(one.codes or ()) for one in responses])
        > 0.97
    )


def test_published_code_lists_have_as_many_codes_as_we_find_sentences(data_dir: Path) -> None:
    met: dict[str, list[bool]] = {}
    for _, one in read_pairs(data_dir):
        if one.codes is not None:
            same = len(split_sentences(one.text)) == len(one.codes)
            met.setdefault(one.responder, []).append(same)

    assert np.mean(met["human"] + met["chatgpt"]) >= 0.97
    # The copied column's codes are those of other texts.
    assert np.mean(met[COPIED]) < 0.6
