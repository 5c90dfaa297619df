"""Which items people should see: findings, a random floor, what scorers are unsure of, diversity.

A signal that is not there is reported as not available, and routing goes on without it.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Candidate:
    """One response that could be labelled. `probabilities` are a scorer's, over its labels.

    `disagreement` is how far scorers are apart, 0 to 1. `findings` are names of audit detectors,
    `crisis` among them if one saw crisis content. `vector` says where its text lies among others.
    """

    item_id: str
    exchange_id: str
    responder: str
    stratum: str
    probabilities: tuple[float, ...] | None = None
    disagreement: float | None = None
    findings: tuple[str, ...] = ()
    vector: tuple[float, ...] | None = None


@dataclass(frozen=True)
class RoutingPlan:
    """How many items, and how they are shared out."""

    budget: int
    findings_share: float
    random_share: float
    uncertainty_share: float
    diversity_share: float
    overlap_share: float
    overlap_annotators: int
    blind_share: float
    seed: int


@dataclass(frozen=True)
class Pick:
    """One picked candidate and the rule that picked it."""

    candidate: Candidate
    reason: str


@dataclass
class _Picked:
    """What is picked so far; no responder gets more than an even share, save for findings."""

    limit: int
    per_responder: int
    picks: list[Pick] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    responders: Counter[str] = field(default_factory=Counter)

    def take(
        self, candidates: Sequence[Candidate], reason: str, count: int, *, balanced: bool = True
    ) -> None:
        """Take up to `count` of `candidates`, in their order."""
        wanted = min(count, self.limit - len(self.picks))
        for candidate in candidates:
            if wanted <= 0:
                return
            full = self.responders[candidate.responder] >= self.per_responder
            if candidate.item_id in self.ids or (balanced and full):
                continue
            self.picks.append(Pick(candidate, reason))
            self.ids.add(candidate.item_id)
            self.responders[candidate.responder] += 1
            wanted -= 1


def route(candidates: Sequence[Candidate], plan: RoutingPlan) -> list[Pick]:
    """Return the picks, most urgent first, no more than the budget.

    Crisis findings, other findings (at most their share), a stratified random floor, entropy and
    disagreement (their share), what is least like all that is picked (its share), and stratified
    random for what is left. With no scorer and no vectors all of the rest is stratified random, the
    default whose labels can be weighted back to the corpus.
    """
    draw = random.Random(plan.seed)  # noqa: S311  a fair draw, no secret
    responders = len({candidate.responder for candidate in candidates}) or 1
    picked = _Picked(plan.budget, math.ceil(plan.budget / responders))
    shuffled = stratified_order(candidates, draw)
    found = [one for one in shuffled if one.findings]
    crisis = [one for one in found if "crisis" in one.findings]
    most = round(plan.budget * plan.findings_share)
    picked.take(crisis, "finding: crisis", most, balanced=False)
    picked.take(found, "finding", most - len(picked.picks), balanced=False)
    picked.take(shuffled, "random", round(plan.budget * plan.random_share))
    unsure = sorted(
        (one for one in shuffled if uncertainty(one) is not None),
        key=lambda one: -(uncertainty(one) or 0),
    )
    picked.take(unsure, "uncertain", round(plan.budget * plan.uncertainty_share))
    diverse = _far_apart(shuffled, picked, round(plan.budget * plan.diversity_share))
    picked.take(diverse, "diverse", len(diverse))
    picked.take(shuffled, "random", plan.budget)
    picked.take(shuffled, "random", plan.budget, balanced=False)
    return picked.picks


def _far_apart(candidates: Sequence[Candidate], picked: _Picked, count: int) -> list[Candidate]:
    """Return `count` candidates of responders that are not full, far from all picks and others."""
    placed = [one for one in candidates if one.vector is not None]
    start = [row for row, one in enumerate(placed) if one.item_id in picked.ids]
    free = [
        row
        for row, one in enumerate(placed)
        if one.item_id not in picked.ids and picked.responders[one.responder] < picked.per_responder
    ]
    rows = [*start, *free]
    vectors = np.array([placed[row].vector for row in rows], dtype=np.float64)
    chosen = spread_out(vectors, count, range(len(start))) if free else []
    return [placed[rows[row]] for row in chosen]


def uncertainty(candidate: Candidate) -> float | None:
    """Return entropy over its maximum, or disagreement if that is larger; 0 sure, 1 not at all."""
    values = []
    if candidate.probabilities and len(candidate.probabilities) > 1:
        entropy = -sum(share * math.log(share) for share in candidate.probabilities if share > 0)
        values.append(entropy / math.log(len(candidate.probabilities)))
    if candidate.disagreement is not None:
        values.append(candidate.disagreement)
    return max(values, default=None)


def stratified_order(candidates: Sequence[Candidate], draw: random.Random) -> list[Candidate]:
    """Return all candidates so that every beginning holds the strata in proportion."""
    strata: defaultdict[str, list[Candidate]] = defaultdict(list)
    for candidate in sorted(candidates, key=lambda one: one.item_id):
        strata[candidate.stratum].append(candidate)
    placed = []
    for members in strata.values():
        draw.shuffle(members)
        offset = draw.random()
        placed += [((place + offset) / len(members), one) for place, one in enumerate(members)]
    return [one for _, one in sorted(placed, key=lambda pair: (pair[0], pair[1].item_id))]


def spread_out(
    vectors: NDArray[np.float64], count: int, start: Sequence[int] = (), *, seed: int = 0
) -> list[int]:
    """Return row numbers by greedy k-centre: each next one is the farthest from all before.

    `vectors` has shape (items, dimensions); rows in `start` count as chosen and are not returned.
    Gonzalez, Theoretical Computer Science 38 (1985).
    """
    if not len(vectors) or count <= 0:
        return []
    chosen: list[int] = []
    nearest = np.full(len(vectors), np.inf)
    for row in start:
        nearest = np.minimum(nearest, np.linalg.norm(vectors - vectors[row], axis=1))
    if not len(start):
        chosen.append(int(np.random.default_rng(seed).integers(len(vectors))))
        nearest = np.linalg.norm(vectors - vectors[chosen[0]], axis=1)
    taken = {*start, *chosen}
    while len(chosen) < min(count, len(vectors) - len(start)):
        order = np.where([row in taken for row in range(len(vectors))], -1.0, nearest)
        row = int(order.argmax())
        chosen.append(row)
        taken.add(row)
        nearest = np.minimum(nearest, np.linalg.norm(vectors - vectors[row], axis=1))
    return chosen


def share_evenly(picks: Sequence[Pick], share: float, seed: int) -> set[str]:
    """Return the ids of a share of the picks, drawn in proportion from every stratum."""
    draw = random.Random(seed)  # noqa: S311
    order = stratified_order([pick.candidate for pick in picks], draw)
    return {one.item_id for one in order[: round(share * len(order))]}


def signal_counts(candidates: Sequence[Candidate]) -> Mapping[str, int | str]:
    """Return how many candidates have each signal, or that it is not available."""
    counts = {
        "scores": sum(one.probabilities is not None for one in candidates),
        "disagreement": sum(one.disagreement is not None for one in candidates),
        "findings": sum(bool(one.findings) for one in candidates),
        "vectors": sum(one.vector is not None for one in candidates),
    }
    return {name: count or "not available" for name, count in counts.items()}
