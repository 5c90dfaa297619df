"""Presence codes: 1 if a behaviour code occurs among the sentences of a response, else 0.

A response that nobody coded has NaN, not 15 zeros. Single replies are far below the manual's unit:
these are MITI-style features, and say nothing of competence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from pipeline.features.table import FeatureTable
from pipeline.records import BehaviourCode


def code_name(code: BehaviourCode) -> str:
    """Return the feature name of a code: `advise_with_permission`."""
    return code.value.lower().replace(" ", "_").replace("-", "_")


def presence_table(
    prefix: str, items: Sequence[tuple[str, Collection[BehaviourCode] | None]]
) -> FeatureTable:
    """Return one 0/1 column per code for (response id, codes) pairs."""
    rows = [
        [np.nan] * len(BehaviourCode)
        if codes is None
        else [float(code in codes) for code in BehaviourCode]
        for _, codes in items
    ]
    return FeatureTable(
        tuple(one for one, _ in items),
        tuple(f"{prefix}_{code_name(code)}" for code in BehaviourCode),
        np.array(rows, dtype=np.float64).reshape(len(items), len(BehaviourCode)),
    )
