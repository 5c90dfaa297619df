"""Strategies of the `rater` role: one rating of empathy, or fifteen of its aspects.

To add one: a template and a branch of `rate`. What a rater says is a feature or a rival
in the table of scorers, never a label.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from pipeline.features.subfactors import SETS, Subfactor
from pipeline.llm import Chat
from pipeline.llm.structured import ask_structured
from pipeline.prompts import load_template
from pipeline.records import Exchange, Message, Response

RaterName = Literal["naive", "dimensions", "subfactors_v1", "subfactors_v2"]
RATING = "rating"
SUBFACTORS = "subfactors_"
LEAST, MOST = 1, 10


class Rating(BaseModel):
    """What a scorer of the whole response answers."""

    model_config = ConfigDict(extra="forbid")

    rating: Literal[1, 2, 3]


async def rate(
    rater: RaterName, exchange: Exchange, response: Response, chat: Chat
) -> Mapping[str, float]:
    """Return the numbers of `rater` by name: one `rating` 1 to 3, or 15 aspects 1 to 10.

    `naive` defines nothing, `dimensions` the three dimensions of empathy, the others 15 subfactors.
    Raises CallRejectedError if no usable answer came; a failed parse is no low rating.
    """
    schema: type[BaseModel] = Rating
    if rater in ("naive", "dimensions"):
        message = rating_prompt(exchange, response, template=f"rate/{rater}")
    else:
        version = rater.removeprefix(SUBFACTORS)
        aspects = "\n".join(_line(aspect) for aspect in SETS[version])
        message = rating_prompt(exchange, response, template="rate/subfactors", aspects=aspects)
        schema = aspects_schema(version)
    answer, _ = await ask_structured(chat, [message], schema)
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
    text = load_template(template).render(
        context=exchange.situation,
        conversation=exchange.transcript_text(),
        response=response.text,
        **more,
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
