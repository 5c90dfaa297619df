"""Texts whose places and preferences are known, and an encoder that needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.features.table import Array
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import Text, TextPair

WARM = ("that sounds hard", "i am with you", "how are you now", "i hear you")
COLD = ("get over it", "not my problem", "whatever you say", "so what")
THINGS = ("job", "dog", "exam", "move", "car", "flat", "test", "trip", "race", "boat")


class Hashed:
    """An embedder of words: each has a fixed vector of its own, and a text is their mean."""

    name = "hashed words"

    def embed(self, texts: Sequence[str]) -> Array:
        return np.array([np.mean([_vector(word) for word in one.split()], axis=0) for one in texts])


class WordEncoder:
    """The response's words alone, 16 numbers."""

    style = 0

    def __init__(self, name: str = "words") -> None:
        self.name = name

    def encode(self, texts: Sequence[Text]) -> Array:
        return Hashed().embed([one.response for one in texts])


def _vector(word: str) -> Array:
    return np.random.default_rng(list(word.encode())).normal(size=16)


def pairs_of(things: Sequence[str]) -> list[TextPair]:
    """Return pairs of a warm and a cold answer, four for each of `things`."""
    return [
        TextPair(
            Text(f"my {thing}", f"{good} about the {thing}", f"warm-{thing}-{number}"),
            Text(f"my {thing}", f"{bad} about the {thing}", f"cold-{thing}-{number}"),
            thing,
        )
        for thing in things
        for number, (good, bad) in enumerate(zip(WARM, COLD, strict=True))
    ]


@pytest.fixture(scope="session")
def pairs() -> list[TextPair]:
    return pairs_of(THINGS)


@pytest.fixture(scope="session")
def prototypes(pairs: list[TextPair]) -> RewardModel:
    return RewardModel(WordEncoder(), "prototype", {"places": 4, "added": 2}).fit(pairs)


@pytest.fixture
def saved(prototypes: RewardModel, tmp_path: Path) -> Path:
    prototypes.save(tmp_path / "reward")
    return tmp_path / "reward"
