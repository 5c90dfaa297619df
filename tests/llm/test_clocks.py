"""A clock that is set, forwards or back, delays nothing."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.llm.ledger import Admission, Ledger
from pipeline.llm.ledger_transfer import export_answers, import_answers
from pipeline.llm.rate_limit import BURST_S, MOST_DATE_WAIT_S, Bucket, retry_after_s
from pipeline.llm.role import Budget
from tests.llm.test_ledger import WANTED
from tests.mock_endpoint import Handle
from tests.teachers import role_at, said, teacher

DAY_S = 86_400.0
BUCKET = Bucket("rpm there", seconds=2.0, per_unit_s=2.0)


@pytest.mark.parametrize("step_s", [DAY_S, -DAY_S, -1e12, 1e12])
async def test_a_pace_is_kept_and_no_more_after_the_clock_was_set(
    endpoint: Handle, ledger: Path, monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    role = role_at(endpoint.base_url, pace={"rpm": 1200, "concurrency": 50})
    real = time.time
    async with teacher(role, ledger) as chat:
        await asyncio.gather(*(chat.ask(said(number)) for number in range(30)))
        monkeypatch.setattr(time, "time", lambda: real() + step_s)
        begun = time.monotonic()
        asked = [chat.ask(said(number)) for number in range(30, 50)]
        await asyncio.wait_for(asyncio.gather(*asked), 10)

    assert 20 / 20 - 0.1 < time.monotonic() - begun < 5
    monkeypatch.undo()
    assert export_answers(ledger, ledger.with_name("out.jsonl")) == 50
    assert import_answers(ledger, ledger.with_name("out.jsonl")) == (0, 50)


@pytest.mark.parametrize(
    ("left_s", "at", "most_s"),
    [
        (1.0, -DAY_S, 0.0),  # the machine ran on: the bucket is full
        (1.0, DAY_S, 1.0),  # the machine was started anew: nothing has passed
        (1e12, 0.0, 3601.0),  # nobody drew so much
        (-1e12, 0.0, 0.0),
    ],
)
def test_a_bucket_never_waits_longer_than_a_draw_can_take(
    left_s: float, at: float, most_s: float
) -> None:
    now = 5_000.0

    assert BUCKET.full_at(left_s, now + at, now) - now == pytest.approx(most_s)


def test_a_bucket_drawn_on_before_the_machine_was_started_anew_delays_by_what_was_left(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(ledger) as opened:
        monkeypatch.setattr(time, "monotonic", lambda: 1e6)
        assert isinstance(opened.reserve(WANTED, budget=Budget(), buckets=(BUCKET,)), Admission)
        monkeypatch.setattr(time, "monotonic", lambda: 10.0)
        wait_s = opened.reserve(WANTED, budget=Budget(), buckets=(BUCKET,))
        monkeypatch.undo()

    assert wait_s == pytest.approx(2.0 - BURST_S)


def test_a_retry_after_date_is_measured_by_the_servers_own_clock() -> None:
    server = datetime.now(UTC) - timedelta(hours=9)
    until = format_datetime(server + timedelta(seconds=30), usegmt=True)

    assert retry_after_s(until, date=format_datetime(server, usegmt=True)) == 30


@pytest.mark.parametrize("hours", [12, 23.9, 10_000])
def test_a_retry_after_date_without_the_servers_clock_is_bounded(hours: float) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)

    assert retry_after_s(until) <= MOST_DATE_WAIT_S
