"""Measures of replies on texts whose values are plain to see."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.text_measures import overlap, text_measures
from pipeline.records import BehaviourCode
from tests.evaluation.contests import exchange, reply
from tests.examples import LATE_TRAIN

FIRST, SECOND = exchange(1), exchange(2)


def test_overlap_looks_at_content_words_alone() -> None:
    assert overlap("You dress for work at five", "I still dress for work") == pytest.approx(2 / 3)
    assert overlap("and so it is", "and so it is") == 0.0


def test_words_of_earlier_turns_were_said_too() -> None:
    echo = reply("base", "train today", LATE_TRAIN)

    assert text_measures([(LATE_TRAIN, echo)], None)["overlap_with_utterance"] == 1.0


class Coder:
    """Takes every sentence for a question."""

    def code(self, texts: Sequence[str]) -> list[tuple[BehaviourCode, ...]]:
        return [(BehaviourCode.OPEN_QUESTION,) for _ in texts]


def test_a_ratio_with_nothing_to_divide_by_is_none() -> None:
    pairs = [(one, reply("base", "What then?", one)) for one in (FIRST, SECOND)]

    figures = text_measures(pairs, Coder())  # type: ignore[arg-type]

    assert figures["replies"] == 2
    assert figures["different_replies"] == 0.5
    assert figures["miti_style"]["percent_complex"] is None
    assert figures["miti_style"]["reflections_per_question"] == 0.0


def test_without_a_coder_there_are_no_miti_style_indices() -> None:
    assert "miti_style" not in text_measures([(FIRST, reply("base", "Oh no.", FIRST))], None)


def test_a_model_without_replies_cannot_be_measured() -> None:
    with pytest.raises(EvaluationError, match="there is no reply"):
        text_measures([], None)
