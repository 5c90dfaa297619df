"""Calls to language models: each is made once, kept, counted and capped."""

from pipeline.llm.chat import CallRejectedError, Chat, Reply
from pipeline.llm.role import Budget, EmbedderRole, LlmParams, LlmRole, RoleName

__all__ = [
    "Budget",
    "CallRejectedError",
    "Chat",
    "EmbedderRole",
    "LlmParams",
    "LlmRole",
    "Reply",
    "RoleName",
]
