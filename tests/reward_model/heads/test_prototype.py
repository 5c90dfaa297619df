from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads.places import find_places, lloyd, with_added
from pipeline.reward_model.heads.prototype import MOST_WEIGHT, Prototype
from pipeline.reward_model.heads.refine import refine

RANDOM = np.random.default_rng(5)
CENTRES = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
TEXTS: Array = np.repeat(CENTRES, 40, axis=0) + RANDOM.normal(size=(120, 2)) * 0.3
# Texts of the first place are preferred to those of the second.
PAIRS = PairRows(np.arange(40), np.arange(40, 80), np.array([str(one) for one in range(40)]))
NONE = TEXTS[:0]


def test_the_reward_is_the_formula_of_its_docstring() -> None:
    head = Prototype(places=3, added=0).fit(TEXTS, PAIRS, TEXTS)

    near = -((TEXTS[:, None, :] - head.places_) ** 2).sum(axis=2) / head.width_
    half = head.class_weights_ / 2
    by_place = logsumexp(near + half, axis=1) - logsumexp(near - half, axis=1)
    expected = head.mix_ * by_place + (1 - head.mix_) * TEXTS @ head.direction_
    assert head.score(TEXTS) == pytest.approx(expected)


def test_the_preferred_place_is_worth_more() -> None:
    head = Prototype(places=3, added=0).fit(TEXTS, PAIRS, TEXTS)

    nearest = head.distances(CENTRES).argmin(axis=1)
    weights = head.class_weights_[nearest]
    assert weights[0] > weights[2] > weights[1]


def test_no_label_enters_the_reward() -> None:
    head = Prototype(places=3, added=0).fit(TEXTS, PAIRS, TEXTS)

    alone = [float(head.score(TEXTS[[row]])[0]) for row in range(0, 120, 7)]
    assert alone == pytest.approx(head.score(TEXTS)[::7].tolist())


def test_with_more_pairs_less_is_left_to_the_prototypes() -> None:
    few = Prototype(places=3).fit(TEXTS, PAIRS.take(np.arange(12)), TEXTS)
    many = Prototype(places=3).fit(TEXTS, PAIRS, TEXTS)

    assert 1 > few.mix_ > many.mix_ > 0.5


def test_a_far_text_becomes_a_prototype_and_the_cap_holds() -> None:
    lonely = np.vstack([TEXTS[:80], [[0.0, 30.0]]])

    without, _ = find_places(TEXTS[:80], None, count=2, added=1, seed=1)
    added = with_added(lonely, without, 1)

    assert (len(without), len(added)) == (2, 3)
    assert np.abs(added - [0.0, 30.0]).sum(axis=1).min() < 1e-9
    assert len(with_added(np.vstack([lonely, [[0.0, 60.0]]]), without, 1)) == 3


def test_near_texts_add_no_prototype() -> None:
    places, _ = find_places(TEXTS, None, count=3, added=8, seed=0)

    assert len(places) == 3


def test_a_place_that_loses_all_its_texts_is_dropped() -> None:
    places = lloyd(TEXTS, np.vstack([CENTRES, [[500.0, 500.0]]]))

    assert places == pytest.approx(CENTRES, abs=0.3)


def test_equal_texts_are_one_place() -> None:
    places, width = find_places(np.ones((20, 2)), None, count=8, added=8, seed=0)

    assert len(places) == 1
    assert width > 0


def test_dropout_is_of_training_alone() -> None:
    head = Prototype(places=3, added=0, steps=5, dropout=0.5).fit(TEXTS, PAIRS, TEXTS)

    assert (head.score(TEXTS) == head.score(TEXTS)).all()
    assert np.isfinite(head.score(TEXTS)).all()


def test_diversity_keeps_moved_places_apart() -> None:
    def closest(diversity: float) -> float:
        head = Prototype(places=3, added=0).fit(TEXTS, PAIRS, TEXTS)
        head.places_[1] = head.places_[0] + 0.05
        head.steps, head.dropout, head.diversity = 100, 0.0, diversity
        places, _, _ = refine(head, TEXTS, PAIRS)
        return float(np.linalg.norm(places[1] - places[0]))

    assert closest(5.0) > 2 * closest(0.0)


def test_places_can_come_from_the_labelled_sides_alone() -> None:
    head = Prototype(places=2, added=0, init="labelled").fit(TEXTS, PAIRS, NONE)

    assert np.sort(head.places_[:, 0]) == pytest.approx([0.0, 6.0], abs=0.3)


def test_weights_without_a_penalty_stay_finite() -> None:
    head = Prototype(places=3, added=0, l2=0.0, mix_end=1.0).fit(TEXTS, PAIRS, TEXTS)

    assert np.isfinite(head.score(TEXTS)).all()
    assert np.abs(head.class_weights_).max() <= MOST_WEIGHT
