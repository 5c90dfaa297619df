from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.features.table import Array
from pipeline.records import (
    Exchange,
    Lineage,
    Message,
    PreferencePair,
    RawLocation,
    Response,
    Turn,
)
from pipeline.reward_model.applying import low_margin, rank, suggest, weigh
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import RewardError, Text, text_of

LINEAGE = Lineage(source="made up", licence="CC0-1.0", operation="test")
DOG = Exchange(
    id="exchange-dog",
    dialogue_id="dog",
    situation="",
    utterance="my dog",
    raw=RawLocation(file="none", row=1),
    lineage=LINEAGE,
)


def _response(name: str, text: str) -> Response:
    return Response(
        id=f"response-{name}", exchange_id=DOG.id, responder="any", text=text, lineage=LINEAGE
    )


COLD = _response("cold", "get over it about the dog")
WARM = _response("warm", "i hear you about the dog")


class Shortest:
    """A judge that likes few words, and remembers what it read."""

    def __init__(self) -> None:
        self.read: list[Text] = []

    def reward(self, texts: Sequence[Text]) -> Array:
        self.read += texts
        return np.array([-float(len(text.response.split())) for text in texts])


def test_the_best_response_comes_first(prototypes: RewardModel) -> None:
    found = list(rank(prototypes, {DOG.id: DOG}, [COLD, WARM]))

    assert [one.response.id for one in found] == ["response-warm", "response-cold"]
    assert [one.rank for one in found] == [1, 2]
    assert found[0].reward > found[1].reward


def test_a_reward_model_reads_all_that_was_said_before_the_response() -> None:
    said = (Turn(role="speaker", text="he ran off"), Turn(role="listener", text="who did?"))
    asked = DOG.model_copy(update={"history": said})
    judge = Shortest()

    weigh(judge, [_pair(WARM, COLD)], {DOG.id: asked})

    told = "Speaker: he ran off\nListener: who did?\nSpeaker: my dog"
    assert text_of(asked, WARM).prompt == told
    assert [text.prompt for text in judge.read] == [told] * 2


def test_equal_rewards_keep_their_order() -> None:
    same = [_response(str(number), f"word {number}") for number in range(3)]

    assert [one.response for one in rank(Shortest(), {DOG.id: DOG}, same)] == same


def test_a_response_to_an_unknown_exchange_is_named() -> None:
    with pytest.raises(RewardError, match="response-warm: exchange exchange-dog is not there"):
        list(rank(Shortest(), {}, [WARM]))


def _pair(chosen: Response, rejected: Response) -> PreferencePair:
    return PreferencePair(
        id="pair-1",
        prompt=(Message(role="user", content="Answer this: my dog"),),
        chosen=(Message(role="assistant", content=chosen.text),),
        rejected=(Message(role="assistant", content=rejected.text),),
        exchange_id=DOG.id,
        chosen_id=chosen.id,
        rejected_id=rejected.id,
        lineage=LINEAGE,
    )


def test_a_pair_that_the_reward_contradicts_is_dropped_with_its_margin(
    prototypes: RewardModel,
) -> None:
    good, bad = weigh(prototypes, [_pair(WARM, COLD), _pair(COLD, WARM)], {DOG.id: DOG})

    assert good.margin == pytest.approx(-bad.margin)
    assert good.weight > 0.5 > bad.weight
    assert low_margin(good, 0.0) is None
    dropped = low_margin(bad, 0.0)
    assert dropped is not None
    assert dropped.reason == "low_margin"


def test_the_prompt_of_a_pair_is_what_was_said_and_not_its_template() -> None:
    judge = Shortest()

    weigh(judge, [_pair(WARM, COLD)], {DOG.id: DOG})
    weigh(judge, [_pair(WARM, COLD)], {})

    assert [text.prompt for text in judge.read] == ["my dog"] * 2 + ["Answer this: my dog"] * 2


def test_suggestions_are_what_select_annotations_reads(prototypes: RewardModel) -> None:
    warm, cold = suggest(prototypes, {DOG.id: DOG}, [WARM, COLD])

    assert warm.question == cold.question == "empathy"
    assert isinstance(warm.value, int)
    assert isinstance(cold.value, int)
    assert 3 >= warm.value > cold.value >= 1
    assert all(0.5 <= (one.score or 0) <= 1 for one in (warm, cold))
    assert warm.agent == "reward:prototype"
