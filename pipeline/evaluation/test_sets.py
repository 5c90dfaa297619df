"""The test sets: `random` is what was held out by chance, `papers` its hard part, by label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.evaluation.classification import EvaluationError
from pipeline.records import Exchange, Response, SplitAssignment
from pipeline.sources.split import GOOD

PAPERS, RANDOM = "papers", "random"
PAPERS_RULE = "papers"


def held_out_sets(
    exchanges: Iterable[Exchange],
    splits: Iterable[SplitAssignment],
    responses: Iterable[Response],
) -> dict[str, list[Exchange]]:
    """Return the held-out exchanges by test set; no training exchange is in either.

    `papers` are those with fewer than two of `responses` rated good, the authors' rule (Xie et al.
    2025). Where the split itself is by that rule, nothing was held out by chance and there is no
    `random`. An empty set is left out; raises EvaluationError if nothing is held out at all.
    """
    rules = {one.exchange_id: one.rule for one in splits if one.split == "test"}
    held_out = [exchange for exchange in exchanges if exchange.id in rules]
    if not held_out:
        raise EvaluationError("test sets: no exchange is held out\nSet split.test_share above 0.")
    good = _good(responses)
    sets = {
        PAPERS: [one for one in held_out if good.get(one.id, 0) < 2],
        RANDOM: [one for one in held_out if rules[one.id] != PAPERS_RULE],
    }
    return {name: found for name, found in sets.items() if found}


def _good(responses: Iterable[Response]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for response in responses:
        counts[response.exchange_id] = counts.get(response.exchange_id, 0) + (
            response.rating == GOOD
        )
    return counts
