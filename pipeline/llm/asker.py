"""How a stage asks a model many questions; what only counts them is asked in the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from pipeline.llm.chat import Chat
from pipeline.llm.live import live_count
from pipeline.llm.open_chat import open_chat
from pipeline.llm.ordered import ask_in_order
from pipeline.llm.role import Budget, LlmRole, RoleName
from pipeline.llm.transport import Count

Q = TypeVar("Q")
A = TypeVar("A")


class Asker(Protocol):
    """Whom a stage asks: a model, or a plan that counts what the model would be asked."""

    role: LlmRole

    def ask_all(
        self,
        questions: Iterable[Q],
        ask: Callable[[Q, Chat], Awaitable[A]],
        take: Callable[[A], object],
        *,
        total: int,
    ) -> None:
        """Give `take` what `ask` makes of each of the `total` questions, in their order."""


class ModelAsker:
    """Asks the model of a role; `count` says afterwards what that took."""

    def __init__(self, role: LlmRole, *, name: RoleName, stage: str, budget: Budget) -> None:
        self.role = role
        self.count = Count()
        self._name: RoleName = name
        self._stage = stage
        self._budget = budget

    def ask_all(
        self,
        questions: Iterable[Q],
        ask: Callable[[Q, Chat], Awaitable[A]],
        take: Callable[[A], object],
        *,
        total: int,
    ) -> None:
        """See `Asker.ask_all`; how far it is stands on the terminal."""
        asyncio.run(self._ask_all(questions, ask, take, total))

    async def _ask_all(
        self,
        questions: Iterable[Q],
        ask: Callable[[Q, Chat], Awaitable[A]],
        take: Callable[[A], object],
        total: int,
    ) -> None:
        opened = open_chat(self.role, name=self._name, stage=self._stage, budget=self._budget)
        async with opened as chat:
            self.count = chat.count
            await ask_in_order(
                questions,
                lambda question: ask(question, chat),
                take,
                role=self.role,
                progress=live_count(chat.count, self.role, self._stage, total),
            )
