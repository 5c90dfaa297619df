from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import MissingFileError, TableError
from pipeline.features.table import Array
from pipeline.reward_model.heads import HEADS
from pipeline.reward_model.model import FACTS, NUMBERS, RewardModel
from pipeline.reward_model.texts import RewardError, Text, TextPair
from tests.reward_model.conftest import WordEncoder, pairs_of

UNSEEN = pairs_of(["ring", "bike"])


@pytest.mark.parametrize("head", HEADS)
def test_every_model_prefers_as_it_was_taught(head: str, pairs: list[TextPair]) -> None:
    model = RewardModel(WordEncoder(), head).fit(pairs)

    better = model.reward([pair.chosen for pair in UNSEEN])
    worse = model.reward([pair.rejected for pair in UNSEEN])

    assert (better > worse).all()


@pytest.mark.parametrize("head", HEADS)
def test_a_loaded_model_gives_the_very_rewards_of_the_trained_one(
    head: str, pairs: list[TextPair], tmp_path: Path
) -> None:
    texts = [text for pair in UNSEEN for text in (pair.chosen, pair.rejected)]
    model = RewardModel(WordEncoder(), head).fit(pairs)

    model.save(tmp_path)

    assert (RewardModel.load(tmp_path, WordEncoder()).reward(texts) == model.reward(texts)).all()


def test_a_model_of_another_encoder_is_refused(saved: Path) -> None:
    with pytest.raises(RewardError, match="made with encoder words, this is letters"):
        RewardModel.load(saved, WordEncoder("letters"))


def test_without_a_saved_model_the_next_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="dvc repro train_reward"):
        RewardModel.load(tmp_path, WordEncoder())


@pytest.mark.parametrize("content", [b"", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_damaged_numbers_are_refused(saved: Path, content: bytes) -> None:
    (saved / NUMBERS).write_bytes(content)

    with pytest.raises(TableError, match=NUMBERS):
        RewardModel.load(saved, WordEncoder())


def test_numbers_that_are_not_finite_are_refused(saved: Path) -> None:
    from safetensors.numpy import load_file, save_file

    state = load_file(saved / NUMBERS)
    save_file({**state, "head.mix": np.array([np.nan])}, saved / NUMBERS)

    with pytest.raises(TableError, match=r"head\.mix is not finite"):
        RewardModel.load(saved, WordEncoder())


def test_facts_with_an_unknown_key_are_refused(saved: Path) -> None:
    facts = json.loads((saved / FACTS).read_text(encoding="utf-8"))
    (saved / FACTS).write_text(json.dumps({**facts, "colour": "red"}), encoding="utf-8")

    with pytest.raises(TableError, match="colour"):
        RewardModel.load(saved, WordEncoder())


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("count", [0, 1])
def test_no_pair_or_one_is_too_few(head: str, count: int, pairs: list[TextPair]) -> None:
    with pytest.raises(RewardError, match=rf"{count} preference pair\(s\) of {count} dialogue"):
        RewardModel(WordEncoder(), head).fit(pairs[:count])


@pytest.mark.parametrize("head", HEADS)
def test_sides_that_the_encoder_cannot_tell_apart_are_an_error(head: str) -> None:
    alike = [
        TextPair(Text("my dog", "you hear"), Text("my dog", "hear you"), group)
        for group in ("one", "two")
    ]

    with pytest.raises(RewardError, match="both sides are alike"):
        RewardModel(WordEncoder(), head).fit(alike)


class Unsound(WordEncoder):
    def encode(self, texts: Sequence[Text]) -> Array:
        return np.full((len(texts), 16), np.nan)


def test_features_that_are_not_numbers_are_an_error(pairs: list[TextPair]) -> None:
    with pytest.raises(RewardError, match="not finite numbers"):
        RewardModel(Unsound()).fit(pairs)


def test_prototypes_of_too_few_pairs_are_a_linear_model_that_says_so(
    pairs: list[TextPair], tmp_path: Path
) -> None:
    model = RewardModel(WordEncoder(), "prototype").fit(pairs[2:8])

    model.save(tmp_path)

    facts = RewardModel.load(tmp_path, WordEncoder()).facts_
    assert (facts.head, facts.asked_for) == ("linear", "prototype")
    assert facts.why == "6 pairs, prototypes need 10"


def test_an_unknown_model_or_setting_is_named() -> None:
    with pytest.raises(RewardError, match="'forest': not known"):
        RewardModel(WordEncoder(), "forest")
    with pytest.raises(RewardError, match="unexpected keyword argument 'depth'"):
        RewardModel(WordEncoder(), "linear", {"depth": 3})


def test_the_same_seed_gives_the_same_model(pairs: list[TextPair]) -> None:
    texts = [pair.chosen for pair in UNSEEN]
    models = [RewardModel(WordEncoder(), "prototype", seed=3).fit(pairs) for _ in range(2)]

    assert (models[0].reward(texts) == models[1].reward(texts)).all()
