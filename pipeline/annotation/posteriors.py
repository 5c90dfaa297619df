"""Gold from many imperfect annotators: label posteriors by Dawid-Skene or MACE (crowd-kit)."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, Literal

from pipeline.annotation.agreement import GivenAnswer
from pipeline.errors import PipelineError

Model = Literal["dawid_skene", "mace"]


def label_posteriors(
    answers: Sequence[GivenAnswer], question: str, model: Model
) -> dict[str, dict[str, float]]:
    """Return P(label) of each unit of `question`, every unit's summing to 1.

    Sets of labels have no such model here. Needs the package crowd-kit.
    """
    rows = [answer for answer in answers if answer.question == question]
    if not rows:
        asked = ", ".join(sorted({answer.question for answer in answers})) or "none"
        raise PipelineError(f"question {question!r}: no answers\nThere are answers to: {asked}")
    if any(isinstance(row.value, tuple) for row in rows):
        raise PipelineError(f"question {question!r}: takes sets of labels\nAsk for one with one.")
    aggregated = _model(model).fit_predict_proba(_frame(rows))
    return {
        str(unit): {str(label): float(share) for label, share in shares.items() if not isnan(share)}
        for unit, shares in aggregated.T.to_dict().items()
    }


def _frame(rows: Sequence[GivenAnswer]) -> Any:
    import pandas as pd

    return pd.DataFrame(
        [(row.unit, row.annotator, str(row.value)) for row in rows],
        columns=["task", "worker", "label"],
    )


def _model(name: Model) -> Any:
    try:
        from crowdkit.aggregation import MACE, DawidSkene
    except ImportError as error:
        raise PipelineError(
            "crowd-kit is not installed\nInstall it: .venv/bin/python -m pip install crowd-kit"
        ) from error
    return DawidSkene(n_iter=100) if name == "dawid_skene" else MACE(n_restarts=5, random_state=0)
