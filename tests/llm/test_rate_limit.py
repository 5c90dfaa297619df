"""Pace: buckets, adaptive slots and the breaker."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.llm.budget import Usage
from pipeline.llm.rate_limit import (
    BURST_S,
    AdaptiveSlots,
    Breaker,
    Bucket,
    EndpointDownError,
    buckets_of,
    retry_after_s,
)
from tests.teachers import role_at

URL = "http://127.0.0.1:1/v1"


def test_a_bucket_lets_through_its_rate_and_a_second_of_burst() -> None:
    [bucket] = buckets_of(role_at(URL, pace={"rpm": 120}), Usage(0, 0))
    state, now, started = 0.0, 1000.0, []
    for _ in range(120):
        now += bucket.wait_s(state, now)
        started.append(now)
        state = bucket.after(state, now)

    assert sum(start == 1000.0 for start in started) == 120 / 60 * BURST_S + 1
    assert started[-1] == pytest.approx(1000.0 + 119 / 2 - BURST_S)


def test_who_was_held_up_gets_no_more_than_the_burst() -> None:
    [bucket] = buckets_of(role_at(URL, pace={"rpm": 120}), Usage(0, 0))
    state = bucket.after(0.0, 1000.0)
    at_once = 0
    while bucket.wait_s(state, 1060.0) == 0:
        state = bucket.after(state, 1060.0)
        at_once += 1

    assert at_once == 3


def test_tokens_that_were_not_used_are_given_back_and_calls_are_not() -> None:
    role = role_at(URL, pace={"rpm": 60, "tpm": 600})
    calls, tokens = buckets_of(role, Usage(90, 10))

    assert tokens.seconds == pytest.approx(10.0)
    assert tokens.credit_s(40) == pytest.approx(6.0)
    assert calls.credit_s(40) == 0.0


def test_no_limit_means_no_bucket() -> None:
    assert buckets_of(role_at(URL), Usage(1, 1)) == ()


def test_other_models_have_other_buckets() -> None:
    one = buckets_of(role_at(URL, pace={"rpm": 60}), Usage(0, 0))
    other = buckets_of(role_at(URL, model="other", pace={"rpm": 60}), Usage(0, 0))

    assert one[0].name != other[0].name
    assert one[0] == Bucket(one[0].name, 1.0, 1.0)


async def test_slots_halve_once_for_calls_sent_together() -> None:
    slots = AdaptiveSlots(16)
    sent = [await slots.__aenter__() for _ in range(8)]
    for at in sent:
        slots.struggled(at)

    assert slots.limit == 8

    for _ in sent:
        await slots.__aexit__()
    async with slots as later:
        slots.struggled(later)

    assert slots.limit == 4


async def test_slots_grow_by_one_a_round_up_to_the_most() -> None:
    slots = AdaptiveSlots(8)
    slots.limit = 4.0
    for _ in range(5):
        slots.went_well()

    assert 5.0 <= slots.limit < 5.3

    for _ in range(100):
        slots.went_well()

    assert slots.limit == 8


async def test_never_more_in_flight_than_slots_even_when_waiters_are_cancelled() -> None:
    slots = AdaptiveSlots(3)
    peak = 0

    async def work() -> None:
        nonlocal peak
        async with slots:
            peak = max(peak, slots.in_flight)
            await asyncio.sleep(0.001)

    tasks = [asyncio.ensure_future(work()) for _ in range(40)]
    await asyncio.sleep(0.002)
    for task in tasks[5:40:3]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert peak == 3
    assert slots.in_flight == 0


def test_the_breaker_stops_at_failures_in_a_row_only() -> None:
    breaker = Breaker(3, "http://there")
    for _ in range(5):
        breaker.failed("http_500")
        breaker.failed("http_500")
        breaker.answered()
    breaker.failed("http_500")
    breaker.failed("http_500")

    with pytest.raises(EndpointDownError, match="http://there: 3 failed attempts") as caught:
        breaker.failed("timeout")

    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("0.5", 0.5), (None, 0.0), ("soon", 0.0), ("-3", 0.0), ("nan", 0.0), ("1e9", 0.0)],
)
def test_retry_after_is_read_in_seconds(value: str | None, seconds: float) -> None:
    assert retry_after_s(value) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)

    assert 25 < retry_after_s(at) <= 30
