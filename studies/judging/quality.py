"""What a judge is worth: its agreement with human ratings of dialogues that it did not see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.evaluation.classification import Predictions, accuracy, weighted_kappa
from pipeline.evaluation.contests import Contest, by_responder
from pipeline.evaluation.judges import Judge
from pipeline.features.table import Array
from pipeline.records import Exchange, Response
from pipeline.scoring.rated import CLASSES, rated_set
from pipeline.statistics.intervals import share_interval
from studies.judging.dialogues import HUMAN, SEED
from studies.judging.relevance import echoes, moved

Pairs = Sequence[tuple[Exchange, Response]]


def strict_contests(pairs: Pairs) -> list[Contest]:
    """Return every two replies to one exchange that people rated unequally, the better one ours."""
    contests = []
    for exchange, one, other in _together(pairs):
        if one.rating is None or other.rating is None or one.rating == other.rating:
            continue
        better, worse = (one, other) if one.rating > other.rating else (other, one)
        contests.append(Contest(exchange, better, worse))
    return contests


def rating_quality(pairs: Pairs, chances: Array) -> dict[str, Any]:
    """Return kappa and accuracy of the most probable rating, and the expected ones' correlation."""
    from scipy.stats import spearmanr

    rated = rated_set(pairs)
    found = Predictions.of(chances, CLASSES)
    expected = chances @ np.array(CLASSES, dtype=np.float64)
    return {
        "responses": len(rated),
        "qwk": round(weighted_kappa(rated.ratings, found), 4),
        "accuracy": round(accuracy(rated.ratings, found), 4),
        "spearman": round(float(spearmanr(expected, rated.ratings).statistic), 4),
    }


def verdict_quality(judge: Judge, pairs: Pairs, exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """Return how often `judge` prefers what it should; of equals, how often the longer one."""
    people = by_responder([response for _, response in pairs])[HUMAN]
    contests = {
        "strict_pairs": strict_contests(pairs),
        "own_over_misplaced_reply": shuffled_contests(exchanges, people),
        "own_reply_over_echo": echo_contests(exchanges, people),
        "longer_of_equals": equal_contests(pairs),
    }
    return {name: pair_quality(judge, found, seed=SEED) for name, found in contests.items()}


def pair_quality(judge: Judge, contests: Sequence[Contest], *, seed: int) -> dict[str, Any]:
    """Return how often the judge prefers what people rated higher; a tie is half right."""
    judged = [
        (contest.exchange.dialogue_id, verdict.value)
        for contest, verdict in zip(contests, judge.judge(contests), strict=True)
        if verdict.value is not None
    ]
    values = [value for _, value in judged]
    low, high = share_interval(values, [dialogue for dialogue, _ in judged], seed=seed)
    return {
        "pairs": len(values),
        "accuracy": round(float(np.mean(values)), 4),
        "ci": [round(low, 4), round(high, 4)],
    }


@dataclass(frozen=True)
class Ranking:
    """Mean ratings by responder, a judge's and people's, and the rank correlation of the two."""

    judged: dict[str, float]
    rated: dict[str, float]
    kendall: float
    spearman: float


def ranking(pairs: Pairs, expected: Array) -> Ranking:
    """Return whether a judge ranks responders as people's ratings do."""
    from scipy.stats import kendalltau, spearmanr

    responders = np.array([response.responder for _, response in pairs])
    ratings = np.array([response.rating for _, response in pairs], dtype=np.float64)
    names = sorted(set(responders.tolist()))
    judged = {name: round(float(expected[responders == name].mean()), 4) for name in names}
    rated = {name: round(float(ratings[responders == name].mean()), 4) for name in names}
    order = list(judged.values()), list(rated.values())
    return Ranking(
        judged,
        rated,
        round(float(kendalltau(*order).statistic), 4),
        round(float(spearmanr(*order).statistic), 4),
    )


def shuffled_contests(
    exchanges: Sequence[Exchange], replies: Mapping[str, Response]
) -> list[Contest]:
    """Return each reply against the same responder's reply to another dialogue, which misses."""
    known = [exchange for exchange in exchanges if exchange.id in replies]
    return [
        Contest(exchange, replies[exchange.id], moved(replies[other.id], exchange))
        for exchange, other in zip(known, [*known[1:], *known[:1]], strict=True)
    ]


def echo_contests(exchanges: Sequence[Exchange], replies: Mapping[str, Response]) -> list[Contest]:
    """Return each reply against the speaker's own words, which are no reply at all."""
    known = [(exchange, replies[exchange.id]) for exchange in exchanges if exchange.id in replies]
    return [
        Contest(exchange, reply, echo)
        for (exchange, reply), (_, echo) in zip(known, echoes(known), strict=True)
    ]


def equal_contests(pairs: Pairs) -> list[Contest]:
    """Return every two replies to one exchange that people rated equally, the longer one ours.

    A judge that does not look at length prefers ours in half of them.
    """
    contests = []
    for exchange, one, other in _together(pairs):
        words = len(one.text.split()) - len(other.text.split())
        if one.rating == other.rating and words:
            longer, shorter = (one, other) if words > 0 else (other, one)
            contests.append(Contest(exchange, longer, shorter))
    return contests


def _together(pairs: Pairs) -> Iterator[tuple[Exchange, Response, Response]]:
    """Yield every two rated replies to one exchange."""
    by_exchange: dict[str, list[tuple[Exchange, Response]]] = {}
    for exchange, response in pairs:
        if response.rating is not None:
            by_exchange.setdefault(exchange.id, []).append((exchange, response))
    for answers in by_exchange.values():
        for (exchange, one), (_, other) in combinations(answers, 2):
            yield exchange, one, other
