from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pipeline.annotation.assignment import assign
from pipeline.annotation.items import Item
from pipeline.annotation.routing import (
    Candidate,
    RoutingPlan,
    route,
    share_evenly,
    signal_counts,
    spread_out,
    uncertainty,
)
from pipeline.errors import PipelineError

PLAN = RoutingPlan(
    budget=30,
    findings_share=0.3,
    random_share=0.4,
    uncertainty_share=0.3,
    diversity_share=0.0,
    overlap_share=0.2,
    overlap_annotators=3,
    blind_share=0.25,
    seed=7,
)


def pool(size: int = 90) -> list[Candidate]:
    """Return responses of three responders in two strata each."""
    return [
        Candidate(f"r{i:03d}", f"e{i}", f"who{i % 3}", f"who{i % 3}/{'long' if i % 2 else 'short'}")
        for i in range(size)
    ]


def test_without_any_signal_the_choice_is_random_by_stratum_and_says_so() -> None:
    picks = route(pool(), PLAN)

    assert len(picks) == PLAN.budget
    assert {pick.reason for pick in picks} == {"random"}
    assert set(Counter(pick.candidate.stratum for pick in picks).values()) == {5}
    assert set(signal_counts(pool()).values()) == {"not available"}


def test_the_same_seed_picks_the_same_whatever_the_order() -> None:
    assert route(pool(), PLAN) == route(pool()[::-1], PLAN)
    assert route(pool(), PLAN) != route(pool(), replace(PLAN, seed=8))


def test_crisis_comes_first_and_findings_are_bounded() -> None:
    candidates = [
        replace(one, findings=("crisis",) if i < 4 else ("refusal",) if i < 40 else ())
        for i, one in enumerate(pool())
    ]

    reasons = [pick.reason for pick in route(candidates, PLAN)]

    assert reasons[:9] == ["finding: crisis"] * 4 + ["finding"] * 5
    assert not any("finding" in reason for reason in reasons[9:])


def test_the_most_uncertain_are_asked_for() -> None:
    candidates = [
        replace(one, probabilities=(i / 180, 1 - i / 180)) for i, one in enumerate(pool())
    ]

    picks = [pick for pick in route(candidates, PLAN) if pick.reason == "uncertain"]

    assert len(picks) == 9
    assert all(pick.candidate.item_id > "r060" for pick in picks)


def test_no_responder_gets_more_than_an_even_share() -> None:
    skewed = [replace(one, responder="who0" if i % 9 else "who1") for i, one in enumerate(pool())]

    responders = Counter(
        pick.candidate.responder for pick in route(skewed, replace(PLAN, budget=20))
    )

    assert responders == {"who0": 10, "who1": 10}


def test_the_budget_is_kept_and_no_item_picked_twice() -> None:
    picks = route(pool(200), PLAN)

    assert len({pick.candidate.item_id for pick in picks}) == PLAN.budget
    assert len(route(pool(10), PLAN)) == 10
    assert route([], PLAN) == []


def test_uncertainty_runs_from_sure_to_not_at_all() -> None:
    one = pool()[0]

    assert uncertainty(one) is None
    assert uncertainty(replace(one, probabilities=(1.0, 0.0, 0.0))) == 0
    assert uncertainty(replace(one, probabilities=(1 / 3,) * 3)) == pytest.approx(1)
    assert uncertainty(replace(one, probabilities=(1.0, 0.0), disagreement=0.5)) == 0.5


def test_the_overlap_is_drawn_from_every_stratum() -> None:
    picks = route(pool(), PLAN)
    overlap = share_evenly(picks, 0.2, seed=1)

    assert len(overlap) == 6
    assert len({p.candidate.stratum for p in picks if p.candidate.item_id in overlap}) == 6


def test_k_centre_takes_one_of_each_cluster_first() -> None:
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    vectors = np.repeat(centres, 5, axis=0) + np.random.default_rng(0).normal(0, 0.1, (15, 2))

    assert {row // 5 for row in spread_out(vectors, 3)} == {0, 1, 2}
    assert {row // 5 for row in spread_out(vectors, 2, start=[0])} == {1, 2}
    assert sorted(spread_out(vectors, 99)) == list(range(15))
    assert spread_out(vectors, 0) == []


def items(*wanted: int) -> list[Item]:
    return [Item(id=f"i{number}", fields={}, wanted=count) for number, count in enumerate(wanted)]


def test_annotators_are_loaded_evenly_and_every_pair_overlaps() -> None:
    names = ["ann", "ben", "cleo", "dan"]
    chosen = assign(items(*[2] * 30, *[1] * 50), names, seed=3)
    load = Counter(name for people in chosen.values() for name in people)
    pairs = Counter(tuple(people) for people in chosen.values() if len(people) == 2)

    assert max(load.values()) - min(load.values()) <= 1
    assert len(pairs) == 6
    assert all(len(set(people)) == len(people) for people in chosen.values())


def test_too_few_annotators_are_an_error() -> None:
    with pytest.raises(PipelineError, match="3 annotators are wanted for some items, 2 named"):
        assign(items(3), ["ann", "ben"], seed=0)
