"""Ratings of models as features, and which of them may be one.

A rater that says the same of every response measures nothing, and the embedded model is such a
rater: it shows that prompts, schema and ledger work. Both are kept, marked, and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from pipeline.features.rater import RATING, SUBFACTORS
from pipeline.features.subfactors import SETS, subfactor_table
from pipeline.features.table import FeatureTable
from pipeline.llm.role import EMBEDDED_MODEL
from pipeline.records import ModelRating


def exclusion(model: str, ratings: Sequence[Mapping[str, float]]) -> str | None:
    """Return why a rater's ratings may enter no metric; None if they may."""
    if not ratings:
        return "it rated no response"
    if model == EMBEDDED_MODEL:
        return f"{model} shows that prompts and schema work; its ratings mean nothing"
    aspects = sorted({aspect for one in ratings for aspect in one})
    if all(len({one[aspect] for one in ratings if aspect in one}) == 1 for aspect in aspects):
        return f"it says the same of all {len(ratings)} responses"
    return None


def rating_tables(rows: Iterable[ModelRating]) -> list[FeatureTable]:
    """Return one table per rater: `naive_rating`, or `v2_warmth` and so on; excluded ones none.

    A response that a rater did not rate is not in its table, and so is missing where they join.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row in rows:
        if row.excluded is None:
            by_response = found.setdefault(row.rater, {})
            by_response.setdefault(row.response_id, {})[row.aspect] = float(row.value)
    return [_table(rater, by_response) for rater, by_response in found.items()]


def _table(rater: str, by_response: Mapping[str, Mapping[str, float]]) -> FeatureTable:
    version = rater.removeprefix(SUBFACTORS)
    if version in SETS:
        return subfactor_table(version, list(by_response.items()))
    values = np.array([[one[RATING]] for one in by_response.values()])
    return FeatureTable(tuple(by_response), (f"{rater}_{RATING}",), values)
