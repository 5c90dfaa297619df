from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import RewardError, Text, TextPair
from pipeline.reward_model.tuned_encoder import TunedEncoder, TunedEncoderParams

pytestmark = pytest.mark.slow
FROZEN = TunedEncoderParams(layers=0, steps=0)
TUNED = TunedEncoderParams(layers=1, rank=2, steps=4, rate=1e-2)


def test_a_text_is_read_alone_or_among_longer_ones_alike(student: Path) -> None:
    encoder = TunedEncoder(student, FROZEN)
    short, long = Text("my dog", "i hear"), Text("my dog", "i hear you about the dog")

    alone, together = encoder.encode([short]), encoder.encode([short, long])

    assert together.shape == (2, 16)
    assert together[0] == pytest.approx(alone[0], abs=1e-5)


def test_tuning_changes_the_encoder_and_its_name(student: Path, pairs: list[TextPair]) -> None:
    frozen = TunedEncoder(student, FROZEN).fit(pairs)
    tuned = TunedEncoder(student, TUNED).fit(pairs)
    texts = [pairs[0].chosen]

    assert np.abs(frozen.encode(texts) - tuned.encode(texts)).max() > 0
    assert frozen.name == TunedEncoder(student, FROZEN).name
    assert frozen.name != tuned.name


def test_a_reward_model_reads_a_tuned_student_as_any_encoder(
    student: Path, pairs: list[TextPair], tmp_path: Path
) -> None:
    encoder = TunedEncoder(student, TUNED).fit(pairs)
    texts = [pair.chosen for pair in pairs[:4]]

    model = RewardModel(encoder, "linear").fit(pairs)
    model.save(tmp_path)

    assert (RewardModel.load(tmp_path, encoder).reward(texts) == model.reward(texts)).all()
    with pytest.raises(RewardError, match="made with encoder student"):
        RewardModel.load(tmp_path, TunedEncoder(student, FROZEN))


def test_no_pair_to_tune_with_is_an_error(student: Path) -> None:
    with pytest.raises(RewardError, match="no preference pair"):
        TunedEncoder(student, TUNED).fit([])
