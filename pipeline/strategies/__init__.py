"""Ways to ask a teacher. To add one: a template, a function if it needs its own, a line below."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint

from pipeline.extensions import Catalogue, blamed
from pipeline.llm import CallRejectedError, Chat, Reply
from pipeline.prompts import load_template
from pipeline.strategies.direct import respond_directly
from pipeline.strategies.draft import Draft, OverLong
from pipeline.strategies.improve import improve_once
from pipeline.strategies.improve_sequentially import FIRST, THEN, improve_sequentially


@dataclass(frozen=True)
class Strategy:
    """One way to ask; `templates` are what it renders, in the order of their turns.

    No templates: it asks with the listener's prompt.
    """

    ask: Callable[[Draft, Chat], Awaitable[Reply]]
    templates: tuple[str, ...] = ()

    def __call__(self, draft: Draft, chat: Chat) -> Awaitable[Reply]:
        """Ask about `draft`; the reply is the teacher's response."""
        return self.ask(draft, chat)


def _in_one_turn(template: str) -> Strategy:
    return Strategy(partial(improve_once, template=template), (template,))


def _guarded(entry: EntryPoint, strategy: Strategy) -> Strategy:
    """Return a strategy that says whose it is when it fails."""

    async def ask(draft: Draft, chat: Chat) -> Reply:
        with blamed(entry, CallRejectedError):
            reply = await strategy.ask(draft, chat)
            if not isinstance(reply, Reply):
                raise TypeError(f"it returns a {type(reply).__name__}, and no Reply")
            return reply

    return replace(strategy, ask=ask)


STRATEGIES = Catalogue(
    "strategies",
    Strategy,
    {
        "direct": Strategy(respond_directly),
        "naive": _in_one_turn("improve/naive"),
        "all_dimensions": _in_one_turn("improve/all_dimensions"),
        "lacking_dimension": _in_one_turn("improve/lacking_dimension"),
        "cognitive": _in_one_turn("improve/cognitive"),
        "affective": _in_one_turn("improve/affective"),
        "compassionate": _in_one_turn("improve/compassionate"),
        "sequential": Strategy(improve_sequentially, (FIRST, *THEN)),
    },
    guard=_guarded,
)


def template_names(strategy: str, *, direct: str) -> tuple[str, ...]:
    """Return the templates that `strategy` uses; `direct` names the listener's prompt."""
    return STRATEGIES[strategy].templates or (direct,)


def prompt_id(strategy: str, *, direct: str) -> str:
    """Return the ids of the templates that `strategy` uses, in the order of their turns."""
    return " + ".join(load_template(name).id for name in template_names(strategy, direct=direct))


__all__ = ["STRATEGIES", "Draft", "OverLong", "Strategy", "prompt_id", "template_names"]
