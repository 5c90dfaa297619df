from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.reward_model.explain import explain
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import Text, TextPair
from tests.reward_model.conftest import WordEncoder

WARM = Text("my ring", "i hear you about the ring")


def test_the_parts_of_a_reward_add_up_to_it(prototypes: RewardModel) -> None:
    found = explain(prototypes, WARM)

    assert found.reward == pytest.approx(prototypes.reward([WARM])[0])
    assert found.by_prototypes + found.by_features == pytest.approx(found.reward)
    assert found.stands in {"middle", "high"}


def test_nearest_prototypes_come_first_with_the_examples_behind_them(
    prototypes: RewardModel, pairs: list[TextPair]
) -> None:
    found = explain(prototypes, WARM, nearest=2)

    assert found.nearest[0].distance <= found.nearest[1].distance
    known = {text.id: text for pair in pairs for text in (pair.chosen, pair.rejected)}
    for near in found.nearest:
        assert near.examples
        assert all(known[one.id].response == one.response for one in near.examples)
        assert [one.distance for one in near.examples] == sorted(
            one.distance for one in near.examples
        )
    best = found.nearest[0].examples[0]
    assert (best.wins, best.pairs) == (1, 1)


def test_a_loaded_model_explains_the_same(prototypes: RewardModel, saved: Path) -> None:
    loaded = RewardModel.load(saved, WordEncoder())

    assert explain(loaded, WARM).as_json() == explain(prototypes, WARM).as_json()


def test_a_linear_model_is_explained_by_the_texts_nearby(
    pairs: list[TextPair], tmp_path: Path
) -> None:
    model = RewardModel(WordEncoder(), "linear").fit(pairs)
    model.save(tmp_path)

    found = explain(RewardModel.load(tmp_path, WordEncoder()), WARM)

    assert found.by_prototypes == 0
    assert found.reward == pytest.approx(model.reward([WARM])[0])
    assert "hear" in " ".join(one.response for one in found.nearest[0].examples)


def test_a_prototype_is_worth_what_the_texts_there_are(prototypes: RewardModel) -> None:
    best = max(explain(prototypes, WARM, nearest=9).nearest, key=lambda one: one.worth)

    assert sum(one.wins for one in best.examples) > len(best.examples) / 2
