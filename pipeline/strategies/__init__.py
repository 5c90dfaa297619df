"""Ways to ask a teacher. To add one: a template, a function if it needs its own, a line below."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from pipeline.llm import Chat, Reply
from pipeline.prompts import load_template
from pipeline.records import StrategyName
from pipeline.strategies.direct import respond_directly
from pipeline.strategies.draft import Draft, OverLong
from pipeline.strategies.improve import improve_once
from pipeline.strategies.improve_sequentially import FIRST, THEN, improve_sequentially

STRATEGIES: dict[StrategyName, Callable[[Draft, Chat], Awaitable[Reply]]] = {
    "direct": respond_directly,
    "naive": partial(improve_once, template="improve/naive"),
    "all_dimensions": partial(improve_once, template="improve/all_dimensions"),
    "lacking_dimension": partial(improve_once, template="improve/lacking_dimension"),
    "cognitive": partial(improve_once, template="improve/cognitive"),
    "affective": partial(improve_once, template="improve/affective"),
    "compassionate": partial(improve_once, template="improve/compassionate"),
    "sequential": improve_sequentially,
}


def template_names(strategy: StrategyName, *, direct: str) -> tuple[str, ...]:
    """Return the templates that `strategy` uses; `direct` names the listener's prompt."""
    if strategy == "direct":
        return (direct,)
    if strategy == "sequential":
        return (FIRST, *THEN)
    return (f"improve/{strategy}",)


def prompt_id(strategy: StrategyName, *, direct: str) -> str:
    """Return the ids of the templates that `strategy` uses, in the order of their turns."""
    return " + ".join(load_template(name).id for name in template_names(strategy, direct=direct))


__all__ = ["STRATEGIES", "Draft", "OverLong", "prompt_id", "template_names"]
