"""Answers come in the order of the questions, a window at a time, and none is lost."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from pipeline.errors import PipelineError
from pipeline.llm.live import spent_line
from pipeline.llm.ordered import in_order
from pipeline.llm.transport import Count
from tests.teachers import role_at


async def test_answers_keep_the_order_whoever_is_faster() -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0.001 * (7 - number % 7))
        return number

    assert [one async for one in in_order(range(50), work, window=9)] == list(range(50))


async def test_no_more_than_the_window_is_begun() -> None:
    begun = 0

    async def work(number: int) -> int:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0)
        return number

    async with aclosing(in_order(range(1_000), work, window=10)) as answers:
        async for number in answers:
            assert begun <= number + 10 + 1
            if number == 100:
                break


async def test_what_was_begun_is_waited_for_when_one_fails() -> None:
    finished = []

    async def work(number: int) -> int:
        if number == 0:
            raise PipelineError("the budget is spent")
        await asyncio.sleep(0.01)
        finished.append(number)
        return number

    with pytest.raises(PipelineError, match="budget"):
        _ = [one async for one in in_order(range(100), work, window=5)]

    assert finished == [1, 2, 3, 4]


async def test_an_interrupt_cancels_what_was_begun() -> None:
    finished = []

    async def work(number: int) -> int:
        await asyncio.sleep(0.05)
        finished.append(number)
        return number

    async def read() -> None:
        _ = [one async for one in in_order(range(100), work, window=5)]

    task = asyncio.ensure_future(read())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.08)

    assert finished == []


def test_the_line_projects_the_cost_and_never_calls_an_unknown_price_zero() -> None:
    count = Count(calls=10, tokens=500, usd=0.5)
    priced = role_at("http://127.0.0.1:1/v1", price_in=1, price_out=1)

    line = spent_line(count, priced, done=10, total=40)
    assert line.endswith("500 tokens, 0.5000 USD, projected 2.0000 USD")
    assert spent_line(count, role_at("http://127.0.0.1:1/v1")).endswith("price unknown")
