from __future__ import annotations

import numpy as np
import pytest

from pipeline.reward_model.encoder import STYLE_WEIGHT, FrozenEncoder, Scaling
from pipeline.reward_model.texts import RewardError, Text
from tests.reward_model.conftest import Hashed


def test_a_text_is_its_embedding_and_readable_features() -> None:
    encoder = FrozenEncoder(Hashed())

    rows = encoder.encode([Text("my dog", "so sorry"), Text("my dog", "why is that?")])

    assert rows.shape == (2, 16 + encoder.style)
    assert encoder.name.startswith("hashed words + text ")


def test_an_empty_response_is_named() -> None:
    with pytest.raises(RewardError, match="text response-7: the response is empty"):
        FrozenEncoder(Hashed()).encode([Text("my dog", " ", "response-7")])


def test_scaled_features_are_centred_and_readable_ones_weigh_less() -> None:
    features = np.random.default_rng(0).normal(3, 2, size=(500, 6))

    scaled = (features - Scaling.of(features, 2).means) * Scaling.of(features, 2).factors

    assert scaled.mean(axis=0) == pytest.approx(np.zeros(6), abs=1e-9)
    assert scaled[:, 4:].var(axis=0).sum() == pytest.approx(STYLE_WEIGHT**2)


def test_what_is_not_known_or_never_differs_counts_nothing() -> None:
    features = np.random.default_rng(0).normal(size=(50, 4))
    features[:, 3] = 7.0
    features[3, 2] = np.nan

    turned = Scaling.of(features, 2).apply(features)

    assert np.isfinite(turned).all()
