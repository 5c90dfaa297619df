"""Rewrite a response in one turn: the template says what is to become better."""

from __future__ import annotations

from pipeline.errors import PipelineError
from pipeline.llm import Chat, Reply
from pipeline.prompts import load_template
from pipeline.records import Message
from pipeline.strategies.draft import Draft, ask_for_reply


async def improve_once(draft: Draft, chat: Chat, *, template: str) -> Reply:
    """Ask for a better version of the draft's response."""
    _, reply = await ask_for_reply([improvement_prompt(draft, template)], draft, chat)
    return reply


def improvement_prompt(draft: Draft, template: str) -> Message:
    """Return the message that shows the exchange with its response and asks for a better one."""
    if draft.response is None:
        raise PipelineError(
            f"exchange {draft.exchange.id}: there is no response to improve\n"
            "Only strategy `direct` writes a first one."
        )
    text = load_template(template).render(
        context=draft.exchange.situation,
        conversation=draft.exchange.transcript_text(),
        response=draft.response,
        mean_words=str(draft.mean_words),
        max_words=str(draft.max_words),
    )
    return Message(role="user", content=text)
