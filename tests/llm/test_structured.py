"""Replies of a given shape."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from pipeline.llm import CallRejectedError
from pipeline.llm.ledger import Ledger
from pipeline.llm.structured import ask_structured
from tests.mock_endpoint import Handle
from tests.teachers import ScriptedChat, role_at, said, teacher


class Rating(BaseModel):
    rating: int = Field(ge=1, le=3)


async def test_a_reply_of_the_right_shape_is_taken() -> None:
    rating, reply = await ask_structured(ScriptedChat(['{"rating": 2}']), said("Rate"), Rating)

    assert rating.rating == 2
    assert reply.request_id == "request-1"


async def test_a_fence_around_it_is_taken_off() -> None:
    fenced = '```json\n{"rating": 3}\n```'
    rating, _ = await ask_structured(ScriptedChat([fenced]), said("Rate"), Rating)

    assert rating.rating == 3


async def test_a_wrong_shape_goes_back_once_with_the_complaint() -> None:
    chat = ScriptedChat(['{"rating": 7}', '{"rating": 1}'])
    rating, reply = await ask_structured(chat, said("Rate"), Rating)

    assert rating.rating == 1
    assert reply.request_id == "request-2"
    assert [turn.role for turn in chat.asked[1]] == ["user", "assistant", "user"]
    assert "rating: Input should be less than or equal to 3" in chat.asked[1][-1].content


async def test_a_second_wrong_shape_is_a_rejection() -> None:
    with pytest.raises(CallRejectedError, match="schema") as caught:
        await ask_structured(ScriptedChat(["two", "still two"]), said("Rate"), Rating)

    assert caught.value.reason == "schema"


async def test_the_schema_travels_with_the_request(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.replies = ['{"rating": 2}']
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        await ask_structured(chat, said("Rate"), Rating)

    with Ledger(ledger) as opened:
        [(request,)] = opened.rows("SELECT request FROM answers")
    assert '"name":"Rating"' in str(request)
