from __future__ import annotations

import pytest

from pipeline.text.words import count_words, distinct, repetition, runs, words_of


def test_length_is_what_stands_between_white_space() -> None:
    assert count_words("Oh no -  that's\nawful!") == 5
    assert count_words(" ") == 0


def test_words_are_small_and_keep_their_apostrophes_straight() -> None:
    assert words_of("Don’t, DON'T 'do' it_2nd!") == ["don't", "don't", "do", "it", "2nd"]


def test_numbers_can_be_left_out_as_punctuation_is() -> None:
    assert words_of("20 of the 2nd kind", numbers=False) == ["of", "the", "nd", "kind"]


def test_runs_overlap_and_a_short_text_has_none() -> None:
    assert runs(["a", "b", "c"], 2) == [("a", "b"), ("b", "c")]
    assert runs(["a"], 2) == []


def test_distinct_counts_different_runs_over_all_texts() -> None:
    texts = [words_of("so sorry so sorry"), words_of("so sorry")]

    assert distinct(texts, 1) == pytest.approx(2 / 6)
    assert distinct(texts, 2) == pytest.approx(2 / 4)


def test_distinct_is_unknown_where_there_is_no_run() -> None:
    assert distinct([["hi"], []], 2) is None


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("I am so sorry. I am so sorry.", 1 - 4 / 6),
        ("Nothing here is said again.", 0.0),
        ("Oh no.", 0.0),
    ],
)
def test_repetition_is_the_share_of_runs_said_before(text: str, share: float) -> None:
    assert repetition(words_of(text), 3) == pytest.approx(share)
