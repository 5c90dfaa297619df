"""What a way to ask a teacher is called."""

from __future__ import annotations

from typing import Literal

StrategyName = Literal[
    "direct",
    "naive",
    "all_dimensions",
    "lacking_dimension",
    "cognitive",
    "affective",
    "compassionate",
    "sequential",
]
