"""One chat, three turns: each side of empathy on top of the last reply."""

from __future__ import annotations

from pipeline.llm import Chat, Reply
from pipeline.prompts import load_template
from pipeline.records import Message
from pipeline.strategies.draft import Draft, ask_for_reply
from pipeline.strategies.improve import improvement_prompt

FIRST = "improve/cognitive"
THEN = ("improve/then_affective", "improve/then_compassionate")


async def improve_sequentially(draft: Draft, chat: Chat) -> Reply:
    """Ask for the cognitive side, then the affective, then the compassionate; keep the last."""
    said, reply = await ask_for_reply([improvement_prompt(draft, FIRST)], draft, chat)
    for template in THEN:
        turn = load_template(template).render(max_words=str(draft.max_words))
        said, reply = await ask_for_reply([*said, Message(role="user", content=turn)], draft, chat)
    return reply
