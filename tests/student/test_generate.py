"""Replies are equal however they are batched, and end where they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.records import Message, Rejection, Response
from pipeline.student.adapters import load_model, load_tokenizer
from pipeline.student.answers import CUT, answer_exchanges
from pipeline.student.generate import GenerationParams, Generator
from pipeline.student.students import Student
from tests.examples import LATE_TRAIN, LOST_JOB, PROMPT, message

TALKS: list[list[Message]] = [
    [message("user", f"my {'very ' * at}long day")] for at in (5, 0, 3, 1, 4)
]
SHORT = GenerationParams(max_new_tokens=12, batch_size=2)


def generator(base: Path, params: GenerationParams = SHORT) -> Generator:
    return Generator(load_model(base, (), dtype="float32"), load_tokenizer(base), params)


def test_a_batch_says_what_each_conversation_alone_gets(base: Path) -> None:
    batched = generator(base).replies(TALKS, seed=1)

    alone = generator(base, SHORT.model_copy(update={"batch_size": 1})).replies(TALKS, seed=1)

    assert [one[0].text for one in batched] == [one[0].text for one in alone]


def test_a_reply_stops_at_the_cap_and_says_so(base: Path) -> None:
    replies = generator(base).replies(TALKS, seed=1)

    assert {(one[0].tokens <= 12, one[0].is_cut == (one[0].tokens == 12)) for one in replies} == {
        (True, True)
    }


def test_samples_differ_and_come_back_with_the_seed(base: Path) -> None:
    drawn = SHORT.model_copy(update={"temperature": 1.0, "batch_size": 8})

    first, again, other = (
        generator(base, drawn).replies(TALKS, seed=seed, samples=4) for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other
    assert all(len(one) == 4 for one in first)
    assert len({reply.text for reply in first[0]}) > 1


def test_the_penalty_is_on_the_replys_own_words_alone(base: Path) -> None:
    """A prompt without a word and one full of it are penalised alike: not at all."""
    from transformers import RepetitionPenaltyLogitsProcessor

    (processor,) = generator(base)._penalty(7)

    assert isinstance(processor, RepetitionPenaltyLogitsProcessor)
    assert processor.prompt_ignore_length == 7


def test_every_reply_is_a_response_with_its_lineage(base: Path) -> None:
    student = Student("base", base, ())

    rows = list(answer_exchanges(student, [LOST_JOB, LATE_TRAIN], PROMPT, SHORT, seed=1))

    assert len(rows) == 2
    for row, exchange in zip(rows, (LOST_JOB, LATE_TRAIN), strict=True):
        if isinstance(row, Rejection):
            assert row.reason == "empty_reply"
            continue
        assert isinstance(row, Response)
        assert row.exchange_id == exchange.id
        assert row.responder == "base"
        assert row.lineage.model == "tiny-0"
        assert row.lineage.licence == "Apache-2.0"
        assert row.lineage.prompt_id == PROMPT.prompt_id
        assert set(row.lineage.flags) <= {CUT}


def test_an_empty_reply_is_a_rejection(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.student import generate

    monkeypatch.setattr(
        generate.Generator,
        "_reply",
        lambda *_: generate.Reply(text="", is_cut=False, tokens=0),
    )

    (row,) = answer_exchanges(Student("base", base, ()), [LOST_JOB], PROMPT, SHORT, seed=1)

    assert isinstance(row, Rejection)
    assert row.reason == "empty_reply"
