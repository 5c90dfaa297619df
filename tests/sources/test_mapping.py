"""Which column of one's own table holds what is guessed from its name."""

from __future__ import annotations

import pytest

from pipeline.errors import PipelineError
from pipeline.sources import TableColumns
from pipeline.sources.mapping import guess_columns


def guess(*found: str, **chosen: str) -> TableColumns:
    return guess_columns(found, chosen=chosen, licence="MIT")


def test_a_lone_response_is_the_reference() -> None:
    columns = guess("prompt", "answer", "score")

    assert columns.utterance == "prompt"
    assert columns.responses["reference"].model_dump() == {
        "text": "answer",
        "rating": "score",
        "rater": None,
    }


def test_responders_are_told_apart_by_their_suffix() -> None:
    columns = guess("utterance", "response_human", "response_bot", "rating_bot", "annotator_bot")

    assert {name: one.rating for name, one in columns.responses.items()} == {
        "human": None,
        "bot": "rating_bot",
    }
    assert columns.responses["bot"].rater == "annotator_bot"


def test_names_are_matched_whatever_their_case() -> None:
    columns = guess("Dialogue_ID", "Situation", "Speaker_Utterance", "Emotion", "Response-A")

    assert columns.dialogue_id == "Dialogue_ID"
    assert (columns.situation, columns.utterance) == ("Situation", "Speaker_Utterance")
    assert columns.emotion == "Emotion"
    assert columns.responses["a"].text == "Response-A"


def test_what_is_chosen_overrules_the_guess() -> None:
    columns = guess("prompt", "said", "answer", "written", utterance="said", response="written")

    assert columns.utterance == "said"
    assert list(columns.responses) == ["reference"]
    assert columns.responses["reference"].text == "written"


def test_the_most_telling_name_wins() -> None:
    assert guess("input", "utterance", "response").utterance == "utterance"


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (("colour", "response"), r"the utterance\nSay it with --utterance COLUMN"),
        (("utterance", "colour"), r"a response\nSay it with --response COLUMN"),
    ],
)
def test_what_cannot_be_told_is_asked_for(found: tuple[str, ...], problem: str) -> None:
    with pytest.raises(PipelineError, match=problem):
        guess(*found)


def test_a_chosen_column_that_is_not_there_is_named() -> None:
    with pytest.raises(PipelineError, match=r"--dialogue-id nr: no such column\nThe file has: a"):
        guess("a", "b", dialogue_id="nr")


def test_a_rater_or_a_rating_behind_a_response_is_of_that_response() -> None:
    columns = guess(
        *("utterance", "response", "response_rater", "response_2", "response_2_rating"),
        *("response_2_Annotator_ID", "response_score", "response_human_rater", "rater_human"),
        "response_human",
    )

    assert {name: tuple(one.model_dump().values()) for name, one in columns.responses.items()} == {
        "reference": ("response", "response_score", "response_rater"),
        "2": ("response_2", "response_2_rating", "response_2_Annotator_ID"),
        "human": ("response_human", None, "rater_human"),
    }


@pytest.mark.parametrize(
    "name",
    ["response_rater", "answer-annotators", "Response.WorkerId", "response_annotator_1",
     "response_2_rater_email", "reply worker id"],
)  # fmt: skip
def test_a_column_of_raters_is_never_a_response(name: str) -> None:
    assert name not in {one.text for one in guess("prompt", "output", name).responses.values()}
    with pytest.raises(PipelineError, match="a response"):
        guess("prompt", name)


def test_a_rating_without_what_it_rates_may_be_a_responders_name() -> None:
    assert list(guess("prompt", "response_score").responses) == ["score"]
