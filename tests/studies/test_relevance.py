"""Whether a reply belongs: every responder's replies are moved alike, and an echo is no reply."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.features.table import Array
from pipeline.records import Exchange, Response
from studies.judging.judges import where_it_belongs
from studies.judging.relevance import (
    Reading,
    echoes,
    learn_relevance,
    misplaced,
    shared_words,
)
from tests.evaluation.contests import exchange, reply

THINGS = ("kettle", "violin", "tractor", "passport", "bicycle", "orchard", "lantern", "pigeon")
DONE = ("lost", "broke", "sold", "found", "burnt", "painted", "missed", "dropped", "cleaned", "hid")


class LetterCounts:
    """Texts are near where they share letters; stands in for an embedding model."""

    name = "letters"

    def embed(self, texts: Sequence[str]) -> Array:
        counts = [[text.lower().count(letter) for letter in "abcdefghijklmnop"] for text in texts]
        found = np.array(counts, dtype=np.float64) + 1e-6
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def pairs(count: int = 80) -> list[tuple[Exchange, Response]]:
    """Return two replies each to `count` exchanges about different things."""
    found = []
    for number in range(count):
        thing, done = THINGS[number % 8], DONE[number // 8 % 10]
        to = exchange(number).model_copy(
            update={"situation": f"The old {thing}.", "utterance": f"Today I {done} my {thing}."}
        )
        found += [
            (to, reply("kind", f"Oh no, so you {done} it? That {thing} meant much to you.", to)),
            (to, reply("curt", f"A {thing} is a thing that one has {done}.", to)),
        ]
    return found


def test_every_reply_is_moved_as_often_and_to_another_dialogue() -> None:
    own = pairs(8)

    found = misplaced(own, copies=3, seed=1)

    texts = [response.text for _, response in found]
    assert sorted(texts) == sorted([response.text for _, response in own] * 3)
    belongs = {response.text: to.id for to, response in own}
    assert all(belongs[response.text] != to.id == response.exchange_id for to, response in found)
    assert len({response.id for _, response in found}) == len(found)


def test_an_echo_is_what_the_speaker_said_once_per_exchange() -> None:
    found = echoes(pairs(8))

    assert [response.text for _, response in found] == [to.utterance for to, _ in found]
    assert len(found) == 8


@pytest.mark.parametrize("reading", ["cosines", "shared words"])
def test_a_reply_belongs_more_than_a_misplaced_one_and_more_than_an_echo(reading: Reading) -> None:
    own = pairs()
    belongs = learn_relevance(reading, own, LetterCounts(), belonging=0.5, seed=1)

    here = belongs(own).mean()

    assert here > belongs(misplaced(own, copies=1, seed=9)).mean() + 0.1
    assert here > belongs(echoes(own)).mean() + 0.1


def test_the_more_replies_belong_the_surer_one_is_of_each() -> None:
    own = pairs()

    half, most = (
        learn_relevance("shared words", own, LetterCounts(), belonging=share, seed=1)(own)
        for share in (0.5, 0.9)
    )

    assert (most >= half).all()
    assert most.mean() > half.mean()


def test_a_rare_word_in_common_weighs_more_than_a_common_one() -> None:
    own = pairs()
    to = own[0][0]
    rare, common = (reply(name, text, to) for name, text in (("a", "kettle"), ("b", "my")))
    read = shared_words([*own, *((one, reply("c", "my", one)) for one, _ in own)])

    assert read([(to, rare)])[0, 3] > read([(to, common)])[0, 3] > 0


def test_a_reply_that_does_not_belong_is_rated_1() -> None:
    rated = np.array([[0.0, 0.2, 0.8]] * 3)

    found = where_it_belongs(rated, np.array([1.0, 0.5, 0.0]))

    assert found[0].tolist() == [0.0, 0.2, 0.8]
    assert found[1].tolist() == [0.5, 0.1, 0.4]
    assert found[2].tolist() == [1.0, 0.0, 0.0]
