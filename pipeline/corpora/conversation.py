"""The prompt side of every training row: an exchange as chat messages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config import Section
from pipeline.prompts import load_template
from pipeline.records import Exchange, Message
from pipeline.records.exchange import Role

_CHAT_ROLES: dict[Role, Literal["user", "assistant"]] = {
    "speaker": "user",
    "listener": "assistant",
}


class PromptParams(Section):
    """Section `prompt` of params.yaml: how a listener is asked for a response.

    The lengths are guidance in the prompt's text; the paper asks for 28 words on average and at
    most 97.
    """

    template: str = "direct/respond"
    mean_words: int = Field(gt=0, description="words, on average")
    max_words: int = Field(gt=0, description="words, at most")

    @property
    def prompt_id(self) -> str:
        """The template's name with the hash of its text."""
        return load_template(self.template).id


def prompt_messages(exchange: Exchange, params: PromptParams) -> tuple[Message, ...]:
    """Return the transcript as chat messages, the first of them in the template with the situation.

    Later turns stand as they were said.
    """
    messages = chat_messages(exchange)
    first = load_template(params.template).render(
        context=exchange.situation,
        utterance=messages[0].content,
        mean_words=str(params.mean_words),
        max_words=str(params.max_words),
    )
    return (Message(role="user", content=first), *messages[1:])


def chat_messages(exchange: Exchange) -> list[Message]:
    """Return the transcript as messages of user and assistant, who alternate.

    Turns of one side in a row become one message; listener turns before the first speaker turn
    are left out, since a chat starts with the user.
    """
    messages: list[Message] = []
    for turn in exchange.transcript():
        role = _CHAT_ROLES[turn.role]
        if messages and messages[-1].role == role:
            before = messages.pop().content
            messages.append(Message(role=role, content=f"{before}\n{turn.text}"))
        elif messages or role == "user":
            messages.append(Message(role=role, content=turn.text))
    return messages


def answer(text: str) -> Message:
    """Return a response as the assistant's message."""
    return Message(role="assistant", content=text)
