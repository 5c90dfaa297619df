"""How much raters differ, by the mixed model that takes their leniency out of training."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.features.table import Array, FeatureTable
from pipeline.scoring.features import combination
from pipeline.scoring.leniency import fixed_effects
from pipeline.scoring.mixed import MixedModel, fit_mixed
from pipeline.scoring.rated import RatedSet, by_first_sight

FEATURES = "text"


def rater_figures(rated: RatedSet, table: FeatureTable) -> dict[str, Any]:
    """Return variances and the questionnaire's slope, with and without features of the text.

    The slope is in rating points (1 to 3) per point of the questionnaire (0 to 64).
    """
    known = np.flatnonzero(rated.raters != "")
    text = combination(table, FEATURES).values
    return {
        "responder and questionnaire": _fitted(rated.take(known), text[known, :0]),
        f"responder, questionnaire and {FEATURES}": _fitted(rated.take(known), text[known]),
    }


def _fitted(rated: RatedSet, values: Array) -> dict[str, Any]:
    place, count = by_first_sight(rated.raters)
    fixed, teq = fixed_effects(rated, values)
    model = fit_mixed(rated.ratings.astype(np.float64), fixed, place)
    effect = _teq_effect(model, teq)
    return {
        "ratings": len(rated),
        "raters": len(count),
        "sd_between_raters": round(float(np.sqrt(model.between)), 4),
        "sd_within_raters": round(float(np.sqrt(model.within)), 4),
        "share_between_raters": round(model.share_between, 4),
        "rating_points_per_teq_point": None
        if effect is None
        else {"mean": round(effect[0], 5), "ci": [round(end, 5) for end in effect[1]]},
    }


def _teq_effect(model: MixedModel, teq: list[int]) -> tuple[float, tuple[float, float]] | None:
    """Return rating points per point of the questionnaire with a 95% interval; None if unknown."""
    if not teq:
        return None
    slope, error = float(model.coefficients[teq[0]]), float(model.errors[teq[0]])
    return slope, (slope - 1.96 * error, slope + 1.96 * error)
