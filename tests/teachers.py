"""Chats for tests: one that is scripted, and real ones that speak to the mock endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.llm import Reply
from pipeline.llm.ledgered_chat import LedgeredChat
from pipeline.llm.open_chat import open_chat
from pipeline.llm.role import Budget, LlmRole
from pipeline.records import Message


class ScriptedChat:
    """Answers with the given replies in order, and keeps what it was asked."""

    def __init__(self, replies: Sequence[str]) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[Message, ...]] = []

    async def ask(
        self, messages: Sequence[Message], *, schema: type[BaseModel] | None = None, sample: int = 0
    ) -> Reply:
        self.asked.append(tuple(messages))
        return Reply(
            text=self.replies.pop(0), request_id=f"request-{len(self.asked)}", model="scripted"
        )


def role_at(url: str, *, pace: dict[str, Any] | None = None, **changes: Any) -> LlmRole:
    """Return a teacher at `url` that gives up quickly."""
    values: dict[str, Any] = {
        "engine": "openai",
        "base_url": url,
        "model": "mock",
        "max_tokens": 100,
        "pace": {"concurrency": 8, "timeout_s": 5.0, "max_wait_s": 0.02, **(pace or {})},
        **changes,
    }
    return LlmRole.model_validate(values)


@asynccontextmanager
async def teacher(
    role: LlmRole, ledger: Path, budget: Budget | None = None
) -> AsyncIterator[LedgeredChat]:
    """Open a teacher with its ledger."""
    opened = open_chat(role, name="teacher", stage="test", budget=budget or Budget(), ledger=ledger)
    async with opened as chat:
        assert isinstance(chat, LedgeredChat)
        yield chat


def said(content: object) -> list[Message]:
    """Return a chat of one user message."""
    return [Message(role="user", content=str(content))]
