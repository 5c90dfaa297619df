from __future__ import annotations

import math

import pytest

from pipeline.features.text import FEATURES, Reading, text_table

ANSWER = "I'm so sorry, that sounds awful. Maybe your sister could help you?"
CONTEXT = "My sister moved out. It was an awful week."


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("log_words", math.log(13)),
        ("sentences", 2),
        ("questions", 1),
        ("ends_with_question", 1),
        ("i_words", 1 / 12),
        ("you_words", 2 / 12),
        ("hedges", 3 / 12),
        ("negative", 2 / 12),
        ("sympathy", 1),
        ("exclamations", 0),
    ],
)
def test_a_feature_counts_what_it_says(feature: str, value: float) -> None:
    assert FEATURES[feature].value(Reading.of(ANSWER, CONTEXT)) == pytest.approx(value)


def test_overlap_is_the_share_of_content_words_that_the_speaker_used() -> None:
    assert FEATURES["overlap"].value(Reading.of("Your sister!", CONTEXT)) == 1
    assert FEATURES["overlap"].value(Reading.of("Nice weather.", CONTEXT)) == 0


def test_an_answer_without_words_has_no_shares_rather_than_zeros() -> None:
    table = text_table([("a", "?!", CONTEXT)])
    row = dict(zip(table.names, table.values[0], strict=True))

    assert math.isnan(row["text_positive"])
    assert row["text_questions"] == 1


def test_every_feature_says_what_it_means() -> None:
    assert [name for name, feature in FEATURES.items() if not feature.meaning.strip()] == []
