from __future__ import annotations

import numpy as np
import pytest

from pipeline.scoring.leniency import LENIENCY, leniency, mixed_leniency
from pipeline.scoring.rated import RatedSet


def rated_by(raters: list[str], ratings: list[int], teq: list[float] | None = None) -> RatedSet:
    count = len(ratings)
    return RatedSet(
        ids=np.array([f"r{number}" for number in range(count)]),
        ratings=np.array(ratings),
        dialogues=np.array([f"d{number}" for number in range(count)]),
        responders=np.array(["human"] * count),
        raters=np.array(raters),
        teq=np.full(count, np.nan) if teq is None else np.array(teq),
    )


NOTHING = np.empty((8, 0))


@pytest.mark.parametrize("model", LENIENCY)
def test_a_rater_who_gives_more_is_more_lenient(model: str) -> None:
    rated = rated_by(["mild"] * 4 + ["hard"] * 4, [3, 3, 2, 3, 1, 1, 2, 1])

    found = LENIENCY[model](rated, NOTHING)

    assert found[:4].min() > 0 > found[4:].max()


@pytest.mark.parametrize("model", LENIENCY)
def test_a_rating_does_not_enter_its_own_leniency(model: str) -> None:
    raters = ["mild"] * 4 + ["hard"] * 4
    low = LENIENCY[model](rated_by(raters, [1, 3, 3, 3, 1, 1, 1, 2]), NOTHING)

    # The others of the mild rater are all 3: the one rating of 1 is still read as from a mild one.
    assert low[0] > low[1]


def test_an_unknown_rater_is_an_average_one() -> None:
    found = leniency(rated_by(["", "mild", "mild", "hard", "hard"], [1, 3, 3, 1, 1]))

    assert found[0] == 0


@pytest.mark.parametrize("model", LENIENCY)
def test_one_rating_per_rater_tells_nothing(model: str) -> None:
    assert not LENIENCY[model](rated_by(["a", "b", "c"], [1, 2, 3]), np.empty((3, 0))).any()


def test_a_rater_who_met_good_responses_is_not_called_lenient_for_it() -> None:
    random = np.random.default_rng(0)
    quality = np.concatenate([random.normal(1, 0.5, 60), random.normal(-1, 0.5, 60)])
    ratings = np.clip(np.round(2 + 0.8 * quality + random.normal(0, 0.2, 120)), 1, 3)
    rated = rated_by(["lucky"] * 60 + ["unlucky"] * 60, ratings.astype(int).tolist())

    plain, mixed = leniency(rated), mixed_leniency(rated, quality[:, None])

    assert np.abs(mixed).mean() < np.abs(plain).mean() / 3


def test_the_questionnaire_tells_of_a_rater_who_rated_once() -> None:
    random = np.random.default_rng(0)
    teq = np.repeat(random.normal(45, 8, 30), 5)
    ratings = np.clip(np.round(2 + 0.08 * (teq - 45) + random.normal(0, 0.3, 150)), 1, 3)
    raters = [f"a{number // 5}" for number in range(150)]
    raters[int(teq.argmax())] = "once"

    found = mixed_leniency(
        rated_by(raters, ratings.astype(int).tolist(), teq.tolist()), np.empty((150, 0))
    )

    assert found[int(teq.argmax())] > 0.3


@pytest.mark.parametrize("model", LENIENCY)
def test_what_raters_are_called_changes_no_digit(model: str) -> None:
    random = np.random.default_rng(5)
    number = random.integers(0, 60, 400)
    ratings = random.integers(1, 4, 400).tolist()
    teq = random.integers(20, 60, 60)[number].astype(float).tolist()
    values = random.normal(size=(400, 3))
    names = [f"{name:012x}" for name in random.integers(0, 2**40, 60)]

    first = LENIENCY[model](rated_by([f"r{one:04d}" for one in number], ratings, teq), values)
    second = LENIENCY[model](rated_by([names[one] for one in number], ratings, teq), values)

    assert first.tolist() == second.tolist()
