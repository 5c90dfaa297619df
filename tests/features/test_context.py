"""The features of a response see the turns before the utterance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.features.context import EMBEDDED_WORDS, context_tables
from pipeline.features.table import Array
from pipeline.records import Exchange, Turn
from tests.examples import LATE_TRAIN, response


class Remembers:
    """An embedder that keeps what it was given."""

    name = "remembers"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> Array:
        self.texts += texts
        return np.zeros((len(texts), 2))


def test_the_last_turns_are_embedded_and_leave_room_for_the_response() -> None:
    long = Turn(role="speaker", text="again " * EMBEDDED_WORDS)
    embedder = Remembers()

    answer = response("human", 2, exchange=LATE_TRAIN)
    for exchange in (LATE_TRAIN, _after(long)):
        context_tables([(exchange, answer)], embedder)

    told = f"{LATE_TRAIN.transcript_text()}\n{answer.text}"
    assert embedder.texts == [answer.text, told] * 2


def test_a_word_of_an_earlier_turn_overlaps() -> None:
    answer = response("human", 2, "The train, today.", exchange=LATE_TRAIN)

    with_history, without = (
        context_tables([(exchange, answer)], None)[2]
        for exchange in (LATE_TRAIN, LATE_TRAIN.model_copy(update={"history": ()}))
    )

    place = with_history.names.index("text_overlap")
    assert (with_history.values[0, place], without.values[0, place]) == (1.0, 0.0)


def _after(turn: Turn) -> Exchange:
    return LATE_TRAIN.model_copy(update={"history": (turn, *LATE_TRAIN.history)})
