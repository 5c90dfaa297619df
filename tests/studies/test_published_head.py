from __future__ import annotations

import numpy as np

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from studies.reward.published_head import FIRST, Published
from studies.reward.tokens import PLACES, PROMPT_PLACES

RANDOM = np.random.default_rng(2)
GROUPS = np.array([str(one) for one in range(200)])


def _texts(shift: float) -> Array:
    """Return 200 texts of 10 to 40 tokens of two numbers, the second one shifted."""
    places = np.zeros((200, PLACES, 2))
    for text in places:
        length = PROMPT_PLACES + int(RANDOM.integers(10, 40))
        text[:length] = RANDOM.normal((0, shift), size=(length, 2))
    return places.reshape(200, -1)


TEXTS = np.vstack([_texts(0.7), _texts(-0.7)])
PAIRS = PairRows(np.arange(200), np.arange(200, 400), GROUPS)


def test_prototypes_are_made_once_there_are_36_pairs() -> None:
    few = Published().fit(TEXTS, PAIRS.take(np.arange(32)), TEXTS)
    enough = Published().fit(TEXTS, PAIRS.take(np.arange(64)), TEXTS)

    assert few.prototypes == 0
    assert enough.prototypes >= 2 * FIRST


def test_in_use_it_is_not_told_the_label_and_draws_nothing() -> None:
    head = Published(rate=0.01).fit(TEXTS, PAIRS, TEXTS)

    assert (head.score(TEXTS) == head.score(TEXTS)).all()


def test_being_told_the_label_changes_the_reward() -> None:
    head = Published(rate=0.01).fit(TEXTS, PAIRS, TEXTS)

    as_better = head.score_as_trained(TEXTS[:20], chosen=True)
    as_worse = head.score_as_trained(TEXTS[:20], chosen=False)

    assert np.abs(as_better - as_worse).max() > 0
