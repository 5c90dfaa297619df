from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.table import FeatureTable
from pipeline.scoring.classifiers import CLASSIFIERS
from pipeline.scoring.rated import RatedSet, ScoringError
from pipeline.scoring.scorer import Scorer

COUNT = 120
RANDOM = np.random.default_rng(0)
RATINGS = RANDOM.integers(1, 4, COUNT)
TABLE = FeatureTable(
    tuple(f"r{number}" for number in range(COUNT)),
    ("text_told", "text_noise"),
    np.column_stack([RATINGS + RANDOM.normal(0, 0.3, COUNT), RANDOM.normal(size=COUNT)]),
)


def rated(ratings: np.ndarray) -> RatedSet:
    return RatedSet(
        ids=np.array(TABLE.ids),
        ratings=ratings,
        dialogues=np.array([f"d{number // 3}" for number in range(COUNT)]),
        responders=np.array(["human", "model", "model"] * (COUNT // 3)),
        raters=np.array([f"a{number % 10}" for number in range(COUNT)]),
        teq=np.full(COUNT, np.nan),
    )


@pytest.mark.parametrize("model", [name for name in CLASSIFIERS if name != "majority"])
def test_every_classifier_learns_what_a_feature_tells(model: str) -> None:
    scorer = Scorer(model, seed=0, raters="mixed").fit(TABLE, rated(RATINGS))
    chances = scorer.predict_proba(TABLE)

    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert np.mean(np.array(scorer.classes_)[chances.argmax(axis=1)] == RATINGS) > 0.8


def test_calibration_moves_no_label() -> None:
    plain = Scorer("SVC", seed=0, calibrated=False).fit(TABLE, rated(RATINGS)).predict_proba(TABLE)
    tempered = Scorer("SVC", seed=0).fit(TABLE, rated(RATINGS)).predict_proba(TABLE)

    np.testing.assert_array_equal(plain.argmax(axis=1), tempered.argmax(axis=1))
    assert not np.allclose(plain, tempered)


def test_missing_and_constant_features_are_borne() -> None:
    values = np.column_stack([TABLE.values, np.ones(COUNT)])
    values[::7, 0] = np.nan
    table = FeatureTable(TABLE.ids, (*TABLE.names, "text_constant"), values)

    chances = Scorer("ordinal", seed=0).fit(table, rated(RATINGS)).predict_proba(table)

    assert np.isfinite(chances).all()


def test_a_feature_that_is_never_known_is_an_error() -> None:
    table = FeatureTable(TABLE.ids, ("v2_warmth",), np.full((COUNT, 1), np.nan))

    with pytest.raises(ScoringError, match="v2_warmth: missing in all 120 training rows"):
        Scorer("LR", seed=0).fit(table, rated(RATINGS))


def test_one_class_alone_is_an_error() -> None:
    with pytest.raises(ScoringError, match="nothing to tell apart"):
        Scorer("LR", seed=0).fit(TABLE, rated(np.full(COUNT, 3)))


def test_a_rating_outside_one_to_three_is_an_error() -> None:
    with pytest.raises(ScoringError, match="rating 4: not one of 1, 2 and 3"):
        rated(np.full(COUNT, 4))


def test_an_infinite_feature_is_an_error() -> None:
    table = FeatureTable(TABLE.ids, ("x",), np.full((COUNT, 1), np.inf))

    with pytest.raises(ScoringError, match="infinite"):
        Scorer("LR", seed=0).fit(table, rated(RATINGS))
