from __future__ import annotations

import numpy as np

from pipeline.scoring.leniency import leniency
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


def test_a_rater_who_gives_more_is_more_lenient() -> None:
    found = leniency(rated_by(["mild"] * 4 + ["hard"] * 4, [3, 3, 2, 3, 1, 1, 2, 1]))

    assert found[:4].min() > 0 > found[4:].max()


def test_a_rating_does_not_enter_its_own_leniency() -> None:
    raters = ["mild"] * 4 + ["hard"] * 4
    low = leniency(rated_by(raters, [1, 3, 3, 3, 1, 1, 1, 2]))

    # The others of the mild rater are all 3: the one rating of 1 is still read as from a mild one.
    assert low[0] > low[1]


def test_an_unknown_rater_is_an_average_one() -> None:
    found = leniency(rated_by(["", "mild", "mild", "hard", "hard"], [1, 3, 3, 1, 1]))

    assert found[0] == 0


def test_one_rating_per_rater_tells_nothing() -> None:
    assert not leniency(rated_by(["a", "b", "c"], [1, 2, 3])).any()
