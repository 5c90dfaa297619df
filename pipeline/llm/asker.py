"""The one loop by which a stage asks many questions; a plan of them is asked in the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TypeVar

from pipeline.llm.chat import Chat
from pipeline.llm.ledgered_chat import LedgeredChat
from pipeline.llm.live import live_count
from pipeline.llm.ordered import in_order
from pipeline.llm.plan import PlanningChat
from pipeline.llm.recorded_chat import RecordedChat
from pipeline.llm.transport import Count

Q = TypeVar("Q")
A = TypeVar("A")
# What `open_chat` opens, or a plan in a `nullcontext`.
Opened = AbstractAsyncContextManager[LedgeredChat | RecordedChat | PlanningChat]


def ask_all(
    opened: Opened,
    questions: Iterable[Q],
    ask: Callable[[Q, Chat], Awaitable[A]],
    take: Callable[[A], object],
    *,
    stage: str,
    total: int = 0,
) -> Count:
    """Give `take` what `ask` makes of each of `total` questions, in order; return what it took."""

    async def ask_each() -> Count:
        async with opened as chat:
            rows = in_order(
                questions, lambda question: ask(question, chat), window=chat.role.window
            )
            with live_count(chat.count, chat.role, stage, total) as progress:
                async with aclosing(rows):
                    async for row in rows:
                        progress.done += 1
                        take(row)
            return chat.count

    return asyncio.run(ask_each())
