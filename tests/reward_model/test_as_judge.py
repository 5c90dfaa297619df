"""A saved reward model judges contests in evaluation."""

from __future__ import annotations

from pathlib import Path

from pipeline.evaluation.contests import Contest
from pipeline.evaluation.judges import reward_judge
from pipeline.reward_model.model import RewardModel
from tests.reward_model.conftest import WordEncoder
from tests.reward_model.test_applying import COLD, DOG, WARM


def test_a_saved_reward_model_is_a_judge_of_contests(saved: Path) -> None:
    model = RewardModel.load(saved, WordEncoder())
    judge = reward_judge(model, name="reward", margin=0.05)

    (verdict,) = judge.judge([Contest(DOG, WARM, COLD)])

    assert verdict.value == 1
