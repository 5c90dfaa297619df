from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.table import FeatureTable
from pipeline.scoring.cross_fit import predict_out_of_dialogue
from pipeline.scoring.rated import RatedSet, ScoringError

DIALOGUES = np.array([f"d{row // 2}" for row in range(80)])
IDS = tuple(f"r{row}" for row in range(80))


def rated(ratings: list[int]) -> RatedSet:
    unknown = np.array([""] * 80)
    return RatedSet(
        ids=np.array(IDS),
        ratings=np.array(ratings),
        dialogues=DIALOGUES,
        responders=unknown,
        raters=unknown,
        teq=np.full(80, np.nan),
    )


def right(table: FeatureTable, ratings: list[int]) -> float:
    chances = predict_out_of_dialogue(table, DIALOGUES, rated(ratings), model="LR", folds=5, seed=0)
    assert np.allclose(chances.sum(axis=1), 1)
    return float((chances.argmax(axis=1) + 1 == ratings).mean())


def test_what_tells_dialogues_apart_helps_nobody_who_did_not_see_them() -> None:
    ratings = np.repeat(np.random.default_rng(0).integers(1, 4, 40), 2).tolist()
    one_hot = (DIALOGUES[:, None] == np.unique(DIALOGUES)).astype(float)
    table = FeatureTable(IDS, tuple(np.unique(DIALOGUES).tolist()), one_hot)

    assert right(table, ratings) < 0.6


def test_what_tells_ratings_apart_is_learned_from_the_other_dialogues() -> None:
    ratings = np.random.default_rng(0).integers(1, 4, 80).tolist()
    table = FeatureTable(IDS, ("rating",), np.array(ratings, dtype=float)[:, None])

    assert right(table, ratings) > 0.9


def test_ratings_that_are_all_the_same_are_an_error() -> None:
    table = FeatureTable(IDS, ("one",), np.ones((80, 1)))

    with pytest.raises(ScoringError, match="nothing to tell apart"):
        right(table, [2] * 80)
