"""What was said in an exchange is told in one way."""

from __future__ import annotations

from pipeline.records import Turn, text_of_turns
from tests.examples import LATE_TRAIN, LOST_JOB


def test_a_transcript_ends_with_the_utterance() -> None:
    assert LATE_TRAIN.transcript() == (
        *LATE_TRAIN.history,
        Turn(role="speaker", text=LATE_TRAIN.utterance),
    )


def test_its_text_says_who_speaks() -> None:
    assert LATE_TRAIN.transcript_text() == (
        "Speaker: The train did it again.\n"
        "Listener: Oh no, today of all days?\n"
        "Speaker: They had already gone home when I got there."
    )


def test_an_utterance_alone_is_its_own_text() -> None:
    assert LOST_JOB.transcript_text() == LOST_JOB.utterance
    assert text_of_turns(()) == ""


def test_a_short_transcript_keeps_the_last_turns_and_the_utterance_whole() -> None:
    last = len(LATE_TRAIN.utterance.split())

    assert LATE_TRAIN.transcript(most_words=last + 6) == LATE_TRAIN.transcript()[1:]
    assert LATE_TRAIN.transcript_text(most_words=1) == LATE_TRAIN.utterance
    assert LATE_TRAIN.transcript(most_words=100) == LATE_TRAIN.transcript()
