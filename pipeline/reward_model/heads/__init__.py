"""Heads: what turns features of a text into its reward.

To add one: a file with a class, and a line below. All of them are given the same features and the
same unlabelled texts, and search the same number of settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pipeline.reward_model.heads.base import Head
from pipeline.reward_model.heads.centroid import NearestCentroid
from pipeline.reward_model.heads.linear import Linear
from pipeline.reward_model.heads.prototype import Prototype
from pipeline.reward_model.heads.ridge import Ridge
from pipeline.reward_model.texts import RewardError

# Those that a stage may train; `published` reads other features and is for comparison.
HeadName = Literal["linear", "prototype", "nearest_centroid", "ridge"]
HEADS: dict[str, type[Head]] = {
    "linear": Linear,
    "prototype": Prototype,
    "nearest_centroid": NearestCentroid,
    "ridge": Ridge,
}


def build_head(name: str, settings: Mapping[str, Any]) -> Head:
    """Return an unfitted head, or say which there are."""
    if name not in HEADS:
        raise RewardError(f"reward model {name!r}: not known\nThere are: {', '.join(HEADS)}")
    try:
        return HEADS[name](**settings)
    except TypeError as error:
        raise RewardError(f"reward model {name}: {error}\nLeave that setting out.") from error


__all__ = ["HEADS", "Head", "HeadName", "build_head"]
