"""Answer as a listener would: the prompt of every training row, and nothing more."""

from __future__ import annotations

from pipeline.llm import Chat, Reply
from pipeline.strategies.draft import Draft, ask_for_reply


async def respond_directly(draft: Draft, chat: Chat) -> Reply:
    """Ask for a first response to the exchange."""
    _, reply = await ask_for_reply(draft.prompt, draft, chat)
    return reply
