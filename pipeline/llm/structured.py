"""Replies of a given shape: JSON by schema, one attempt to repair, then a rejection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.llm.chat import CallRejectedError, Chat, Reply
from pipeline.records import Message
from pipeline.storage import first_problem

S = TypeVar("S", bound=BaseModel)


async def ask_structured(
    chat: Chat, messages: Sequence[Message], schema: type[S], *, sample: int = 0
) -> tuple[S, Reply]:
    """Return the reply as `schema`, with the reply that held it.

    A reply of another shape goes back once with pydantic's complaint. Raises CallRejectedError
    with reason `schema` if the second is no better.
    """
    reply = await chat.ask(messages, schema=schema, sample=sample)
    try:
        return schema.model_validate_json(unfenced(reply.text)), reply
    except ValidationError as error:
        complaint = first_problem(error)
    repair = Message(
        role="user",
        content=f"That was not the JSON asked for ({complaint}). Send the whole JSON object again, "
        "corrected, and nothing around it.",
    )
    answered = Message(role="assistant", content=reply.text)
    reply = await chat.ask([*messages, answered, repair], schema=schema, sample=sample)
    try:
        return schema.model_validate_json(unfenced(reply.text)), reply
    except ValidationError as error:
        raise CallRejectedError("schema", first_problem(error), reply.request_id) from error


def unfenced(text: str) -> str:
    """Return `text` without a Markdown code fence around all of it."""
    lines = text.strip().splitlines()
    if len(lines) >= 2 and lines[0].startswith("```") and lines[-1].strip() == "```":
        return "\n".join(lines[1:-1])
    return text.strip()
