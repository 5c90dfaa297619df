"""What a strategy gets to work on, and how it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.llm import Chat, Reply
from pipeline.prompts import load_template
from pipeline.records import Exchange, Message
from pipeline.text.words import count_words

OverLong = Literal["reject", "reask"]


@dataclass(frozen=True)
class Draft:
    """One exchange to answer.

    `prompt` is the conversation as a listener is given it; `response` the reply to improve, None
    where there is none yet. Lengths are in words; `over_long` says whether a reply above
    `max_words` is sent back once.
    """

    exchange: Exchange
    prompt: tuple[Message, ...]
    response: str | None
    mean_words: int
    max_words: int
    over_long: OverLong = "reject"


async def ask_for_reply(
    messages: Sequence[Message], draft: Draft, chat: Chat
) -> tuple[list[Message], Reply]:
    """Ask; return the chat so far, ending with the reply, and the reply.

    What is too long goes back once, if the draft says so.
    """
    reply = await chat.ask(messages)
    said = [*messages, Message(role="assistant", content=reply.text)]
    words = count_words(reply.text)
    if words <= draft.max_words or draft.over_long == "reject":
        return said, reply
    shorter = load_template("improve/shorten").render(
        words=str(words), max_words=str(draft.max_words)
    )
    asked = [*said, Message(role="user", content=shorter)]
    reply = await chat.ask(asked)
    return [*asked, Message(role="assistant", content=reply.text)], reply
