"""Roles: what is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.llm import Budget, LlmParams, LlmRole
from pipeline.llm.budget import UnknownPriceError, check_prices

HOSTED = {"engine": "openai", "base_url": "https://api.example.org/v1", "model": "m"}


def role(**changes: Any) -> LlmRole:
    return LlmRole.model_validate({**HOSTED, "max_tokens": 10, **changes})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"base_url": "http://api.example.org/v1"}, "allow_insecure: true"),
        ({"base_url": "https://me:secret@api.example.org/v1"}, "must not carry credentials"),
        ({"base_url": "https://api.example.org/v1?key=1"}, "must not carry credentials"),
        ({"base_url": "https://me:se/cret@api.example.org/v1"}, "must not carry credentials"),
        ({"base_url": "https://api.example.org:secret/v1"}, r"must be http\(s\)"),
        ({"base_url": "ftp://api.example.org"}, r"must be http\(s\)"),
        ({"base_url": None}, "engine openai needs base_url"),
        ({"engine": "recorded"}, "needs cassette"),
        ({"engine": "embedded", "mode": "batch"}, "needs engine openai"),
        ({"price_in": -1}, "0 or more US dollars"),
        ({"temperature": 3}, "less than or equal to 2"),
        ({"api_key": "x"}, "Extra inputs"),
        ({"pace": {"rpm": 0}}, "greater than 0"),
    ],
)
def test_a_role_that_cannot_work_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem) as caught:
        role(**changes)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://localhost:11434/v1", "http://[::1]:1/v1"]
)
def test_plain_http_is_fine_on_this_machine(url: str) -> None:
    assert role(base_url=url).base_url == url


def test_plain_http_elsewhere_can_be_allowed() -> None:
    url = "http://10.0.0.7:8000/v1"

    assert role(base_url=url, allow_insecure=True).base_url == url


def test_a_key_pasted_for_its_name_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError, match="api_key_env") as caught:
        role(api_key_env="sk-canary-123")

    messages = [str(one["msg"]) for one in caught.value.errors()]
    assert not any("canary" in message for message in messages)


def test_a_price_that_is_not_given_is_unknown() -> None:
    assert role().prices is None
    assert role(price_in=0).prices is None
    assert role(price_in=0, price_out=0).prices == (0, 0)


def test_a_cap_in_dollars_needs_a_price() -> None:
    with pytest.raises(UnknownPriceError, match=r"price of m is unknown\nSet price_in") as caught:
        check_prices(role(), Budget(max_usd=1))

    assert caught.value.exit_code == 2


def test_the_judge_may_not_be_the_teacher() -> None:
    with pytest.raises(ValidationError, match="allow_self_judging: true"):
        LlmParams(teacher=role(), judge=role(base_url="https://other.example.org", model="M"))


def test_self_judging_can_be_allowed_and_is_known() -> None:
    params = LlmParams(teacher=role(), judge=role(), allow_self_judging=True)

    assert params.judges_itself
    assert not LlmParams(teacher=role(), judge=role(model="other")).judges_itself
