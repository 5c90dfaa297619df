"""Requests: their key depends on what shapes the answer, and on nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from pipeline.llm.budget import worst_case
from pipeline.llm.chat import CallRejectedError, build_request, read_reply
from tests.teachers import role_at, said

URL = "http://127.0.0.1:1/v1"


class Rating(BaseModel):
    rating: int


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "other"},
        {"temperature": 0.5},
        {"temperature": None},
        {"max_tokens": 99},
        {"seed": 1},
        {"stop": ("\n",)},
        {"frequency_penalty": 0.1},
        {"max_tokens_field": "max_completion_tokens"},
    ],
)
def test_what_shapes_the_answer_is_in_the_key(changes: dict[str, Any]) -> None:
    base = build_request(role_at(URL), said("Hello"))

    assert build_request(role_at(URL, **changes), said("Hello")).key != base.key


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://127.0.0.1:2/v1"},
        {"api_key_env": "KEY"},
        {"price_in": 3},
        {"pace": {"rpm": 10}},
    ],
)
def test_where_and_how_it_is_asked_is_not_in_the_key(changes: dict[str, Any]) -> None:
    base = build_request(role_at(URL), said("Hello"))

    assert build_request(role_at(URL).model_copy(update=changes), said("Hello")).key == base.key


def test_messages_schema_and_sample_are_in_the_key() -> None:
    role = role_at(URL, seed=7)
    requests = [
        build_request(role, said("Hello")),
        build_request(role, said("Hello!")),
        build_request(role, said("Hello"), sample=1),
        build_request(role, said("Hello"), schema=Rating),
    ]

    assert len({request.key for request in requests}) == len(requests)


def test_samples_have_seeds_of_their_own() -> None:
    request = build_request(role_at(URL, seed=7), said("Hello"), sample=2)

    assert json.loads(request.content)["seed"] == 9


def test_the_worst_case_is_no_less_than_a_token_a_byte() -> None:
    role = role_at(URL)
    request = build_request(role, said("ü" * 100))
    at_most = worst_case(request)

    assert at_most.tokens_in >= 200
    assert at_most.tokens_out == role.max_tokens


@pytest.mark.parametrize(
    ("finish", "content", "reason"),
    [
        ("length", "I am so", "finish_length"),
        ("content_filter", "I", "finish_content_filter"),
        ("stop", "", "empty"),
        ("stop", None, "empty"),
        ("stop", " \n", "empty"),
    ],
)
def test_a_cut_or_withheld_answer_is_a_rejection(
    finish: str, content: str | None, reason: str
) -> None:
    raw = json.dumps({"choices": [{"message": {"content": content}, "finish_reason": finish}]})

    with pytest.raises(CallRejectedError, match=reason) as caught:
        read_reply(raw, "key")

    assert caught.value.reason == reason
    assert caught.value.request_id == "key"
