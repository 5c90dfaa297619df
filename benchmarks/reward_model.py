"""Claim: a fit takes under 60 s and 10,000 rewards under 2 s, given features; both grow linearly.

The fit is that of the default head on 9,260 pairs of 8,750 texts, its search included, on random
features of the real size. Growth is that of time when pairs or prototypes are four times as many:
4 is linear. Rival of the fit: the linear head with as large a search.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import numpy as np

from benchmarks.harness import Measurement, peak_mib, stopwatch
from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads.prototype import Prototype
from pipeline.reward_model.tuning import fit_tuned

TEXTS, DIRECTIONS, PAIRS, SCORED = 8750, 128, 9260, 10_000
FIT_SECONDS, SCORE_SECONDS = 60, 2
TIMES = 4
REPEATS = 5


def run() -> list[Measurement]:
    """Measure fits and scores on made-up features."""
    random = np.random.default_rng(0)
    # Falling variances, as features that are turned to their leading directions have.
    features = random.normal(size=(TEXTS, DIRECTIONS)) / np.sqrt(np.arange(1, DIRECTIONS + 1))
    pairs = _pairs(features, PAIRS, random)
    seconds = {}
    for name in ("prototype", "linear"):
        with stopwatch() as taken:
            head, _ = fit_tuned(name, features, pairs, features, seed=0)
        seconds[name] = taken()
        if name == "prototype":
            ours = head
    scored = features[random.integers(TEXTS, size=SCORED)]
    scoring = _median(lambda: ours.score(scored))
    few, many = pairs.take(np.arange(PAIRS // TIMES)), pairs
    by_pairs = _fit_seconds(features, many, 8) / _fit_seconds(features, few, 8)
    small, large = (Prototype(places=places).fit(features, few, features) for places in (64, 256))
    by_places = _median(lambda: large.score(scored)) / _median(lambda: small.score(scored))
    return [
        Measurement(
            "reward_fit",
            seconds["prototype"],
            f"s (claimed: under {FIT_SECONDS})",
            rival="the linear head",
            ratio=seconds["prototype"] / seconds["linear"],
            rows=PAIRS,
            peak_mib=peak_mib(),
        ),
        Measurement("reward_10000", scoring, f"s (claimed: under {SCORE_SECONDS})", rows=SCORED),
        Measurement("reward_growth_pairs", by_pairs, f"times for {TIMES} times the pairs"),
        Measurement(
            "reward_growth_prototypes", by_places, f"times for {TIMES} times the prototypes"
        ),
    ]


def _pairs(features: Array, count: int, random: np.random.Generator) -> PairRows:
    """Return pairs that a direction decides, with as much noise as signal."""
    sides = random.integers(len(features), size=(count, 2))
    worth = features @ random.normal(size=features.shape[1])
    worth = worth + random.normal(scale=worth.std(), size=len(worth))
    first = worth[sides[:, 0]] >= worth[sides[:, 1]]
    chosen = np.where(first, sides[:, 0], sides[:, 1])
    rejected = np.where(first, sides[:, 1], sides[:, 0])
    groups = np.array([str(number // 5) for number in range(count)])
    return PairRows(chosen, rejected, groups)


def _fit_seconds(features: Array, pairs: PairRows, places: int) -> float:
    """Return seconds of the fit of the weights; the places are found before."""
    head = Prototype(places=places).prepare(features)
    return _median(lambda: head.fit(features, pairs, features))


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        with stopwatch() as seconds:
            work()
        taken.append(seconds())
    return statistics.median(taken)
