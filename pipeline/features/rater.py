"""Strategies of the `rater` role: one rating of empathy, or fifteen of its aspects.

Each is a function of an exchange, a response and a chat. To add one: a template and a line in
`RATERS`. What a rater says is a feature or a rival in the table of scorers, never a label.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from pipeline.features.subfactors import SETS, Subfactor
from pipeline.llm import Chat
from pipeline.llm.structured import ask_structured
from pipeline.prompts import load_template
from pipeline.records import Exchange, Message, Response

Rater = Callable[[Exchange, Response, Chat], Awaitable[Mapping[str, float]]]
RATING = "rating"
LEAST, MOST = 1, 10


class Rating(BaseModel):
    """What a scorer of the whole response answers."""

    model_config = ConfigDict(extra="forbid")

    rating: Literal[1, 2, 3]


async def rate_naive(exchange: Exchange, response: Response, chat: Chat) -> Mapping[str, float]:
    """Return one rating, 1 to 3, with nothing defined.

    Raises CallRejectedError if no usable answer came; a failed parse is no low rating.
    """
    return await _rate_whole(exchange, response, chat, template="rate/naive")


async def rate_dimensions(
    exchange: Exchange, response: Response, chat: Chat
) -> Mapping[str, float]:
    """Return one rating, 1 to 3, with the three dimensions of empathy defined."""
    return await _rate_whole(exchange, response, chat, template="rate/dimensions")


async def rate_v1(exchange: Exchange, response: Response, chat: Chat) -> Mapping[str, float]:
    """Return the 15 subfactors of V1 by name, 1 to 10 each."""
    return await _rate_aspects(exchange, response, chat, version="v1")


async def rate_v2(exchange: Exchange, response: Response, chat: Chat) -> Mapping[str, float]:
    """Return the 15 subfactors of V2 by name, 1 to 10 each."""
    return await _rate_aspects(exchange, response, chat, version="v2")


RATERS: dict[str, Rater] = {
    "naive": rate_naive,
    "dimensions": rate_dimensions,
    "subfactors_v1": rate_v1,
    "subfactors_v2": rate_v2,
}


async def _rate_whole(
    exchange: Exchange, response: Response, chat: Chat, *, template: str
) -> Mapping[str, float]:
    message = rating_prompt(exchange, response, template=template)
    answer, _ = await ask_structured(chat, [message], Rating)
    return {RATING: float(answer.rating)}


async def _rate_aspects(
    exchange: Exchange, response: Response, chat: Chat, *, version: str
) -> Mapping[str, float]:
    aspects = "\n".join(_line(one) for one in SETS[version])
    message = rating_prompt(exchange, response, template="rate/subfactors", aspects=aspects)
    answer, _ = await ask_structured(chat, [message], aspects_schema(version))
    return {name: float(value) for name, value in answer.model_dump().items()}


def _line(aspect: Subfactor) -> str:
    return f"- {aspect.name} ({aspect.dimension}): {aspect.definition}"


def aspects_schema(version: str) -> type[BaseModel]:
    """Return the shape of an answer: every subfactor of the set, whole numbers 1 to 10."""
    fields: dict[str, Any] = {one.name: (int, Field(ge=LEAST, le=MOST)) for one in SETS[version]}
    return create_model(
        f"Subfactors{version.upper()}", __config__=ConfigDict(extra="forbid"), **fields
    )


def rating_prompt(exchange: Exchange, response: Response, *, template: str, **more: str) -> Message:
    """Return the message that shows what is to be rated."""
    turns = [f"{turn.role.capitalize()}: {turn.text}" for turn in exchange.history]
    said = "\n".join([*turns, f"Speaker: {exchange.utterance}"]) if turns else exchange.utterance
    text = load_template(template).render(
        context=exchange.situation, conversation=said, response=response.text, **more
    )
    return Message(role="user", content=text)


def tuning_lines(
    rated: Iterable[tuple[Exchange, Response]], *, template: str = "rate/naive"
) -> Iterator[str]:
    """Yield rated responses as JSON Lines of the provider's chat fine-tuning format.

    One object a line, `{"messages": [user, assistant]}`, whose assistant gives the human rating in
    the shape that `Rating` asks for. Hand over training dialogues alone.
    """
    for exchange, response in rated:
        if response.rating is None:
            continue
        prompt = rating_prompt(exchange, response, template=template)
        answer = Message(role="assistant", content=json.dumps({RATING: response.rating}))
        messages = [message.model_dump(mode="json") for message in (prompt, answer)]
        yield json.dumps({"messages": messages}, ensure_ascii=False)
