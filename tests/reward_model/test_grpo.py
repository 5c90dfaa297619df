"""The reward inside TRL is the trained one; a tiny student learns on a processor in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.reward_model.grpo import GrpoParams, Watch, check, reward_function, signs, train_grpo
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import RewardError, Text
from tests.reward_model.conftest import THINGS, WordEncoder

PARAMS = GrpoParams(steps=2, batch=4, group=4, rate=1e-3, max_tokens=6)


def test_trl_is_given_the_very_rewards_of_the_saved_model(
    prototypes: RewardModel, saved: Path
) -> None:
    answers = ["i hear you about the dog", "get over it about the dog"]
    texts = [Text("my dog", answer) for answer in answers]
    loaded = RewardModel.load(saved, WordEncoder())

    plain = reward_function(loaded)(["my dog", "my dog"], answers)
    chat = reward_function(loaded)(
        [[{"role": "user", "content": "a template around it"}]] * 2,
        [[{"role": "assistant", "content": answer}] for answer in answers],
        utterance=["my dog", "my dog"],
        completion_ids=[[1], [2]],
    )

    assert plain == chat == prototypes.reward(texts).tolist()


def test_an_empty_completion_is_worth_less_than_any_other(prototypes: RewardModel) -> None:
    found = reward_function(prototypes)(["my dog"] * 2, ["", "get over it"])

    assert found[0] == found[1] - 1


@pytest.mark.slow
def test_a_tiny_student_is_trained_with_the_saved_reward(
    student: Path, saved: Path, tmp_path: Path
) -> None:
    asked: list[tuple[str, float]] = []

    class Noting:
        def __init__(self, model: RewardModel) -> None:
            self.model = model

        def reward(self, texts: Sequence[Text]):  # type: ignore[no-untyped-def]
            found = self.model.reward(texts)
            asked.extend(zip([text.response for text in texts], found.tolist(), strict=True))
            return found

    model = RewardModel.load(saved, WordEncoder())
    rows = [{"prompt": f"my {thing}", "utterance": f"my {thing}"} for thing in THINGS]

    report = train_grpo(student, rows, Noting(model), PARAMS, tmp_path / "out")

    assert (tmp_path / "out" / "model.safetensors").is_file()
    assert len(report["steps"]) == PARAMS.steps
    assert asked
    alone = [model.reward([Text("", one)])[0] for one, _ in asked]
    assert [reward for _, reward in asked] == pytest.approx(alone, rel=1e-9)


def test_the_signs_of_a_policy_that_pleases() -> None:
    found = signs(["so so so so", "so so so so", "i hear you now", "well that is hard"])

    assert found == {"words": 4, "repetition": pytest.approx(1 / 3), "template": 0.5}


def test_what_goes_beyond_its_bound_is_said() -> None:
    calm = {"words": 10.0, "repetition": 0.0, "template": 0.1, "reward": 0.0}
    steps = [calm, calm, calm, {**calm, "words": 30.0, "template": 0.9}]

    warnings = check(steps, kl=0.9, params=PARAMS)

    assert [one.split(" is ")[0] for one in warnings] == [
        "divergence from the start, nats a token",
        "growth of length",
        "share of one opening",
    ]
    assert check([calm] * 4, kl=0.1, params=PARAMS) == []


def test_a_watch_that_was_never_asked_is_an_error() -> None:
    with pytest.raises(RewardError, match="never asked"):
        check(Watch(lambda *_: []).steps, 0.0, PARAMS)
