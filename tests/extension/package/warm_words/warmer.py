"""A strategy: one turn with a template of this package."""

from __future__ import annotations

from functools import partial

from pipeline.strategies import Strategy
from pipeline.strategies.improve import improve_once

TEMPLATE = "warm_words:improve/warmer"
WARMER = Strategy(partial(improve_once, template=TEMPLATE), (TEMPLATE,))
