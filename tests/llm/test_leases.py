"""Processes that share a ledger: one pays for a request, the others wait for its answer."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.llm import CallRejectedError
from pipeline.llm.leases import BEAT_S, STALE_BEATS
from pipeline.llm.ledger import Ledger, Reservation, Taken
from pipeline.llm.ledger_transfer import ledger_stats
from pipeline.llm.role import Budget
from pipeline.workspace import PROJECT
from tests.llm import asking
from tests.mock_endpoint import Handle
from tests.teachers import role_at, said, teacher

OLD = Path(__file__).parent / "data" / "ledger-50b66dd.sqlite"
WANTED = Reservation(key="k", role="teacher", stage="test", tokens=1, usd=0)
BATCHED = {"mode": "batch", "batch": {"poll_s": 0.05, "max_rows": 1000}}


def wait_until(claim: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until
        time.sleep(0.01)


def leases(ledger: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(ledger)) as db:
        return [*db.execute("SELECT * FROM leases"), *db.execute("SELECT * FROM owners")]


@pytest.mark.parametrize("mode", [{}, BATCHED], ids=["live", "batch"])
def test_two_processes_pay_for_300_equal_requests_once(
    endpoint: Handle, ledger: Path, mode: dict[str, object]
) -> None:
    endpoint.behaviour.latency_s = 0.01
    both = [asking.start(endpoint.base_url, ledger, 300, **mode) for _ in range(2)]
    counted = [asking.result(one) for one in both]

    assert [one["answers"] for one in counted] == [300, 300]
    assert sum(one["calls"] for one in counted) == endpoint.tally.calls == 300
    assert max(endpoint.tally.by_content.values()) == 1
    assert ledger_stats(ledger)[0].calls == 300
    assert leases(ledger) == []


def test_a_killed_payer_costs_at_most_its_calls_in_flight(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.latency_s = 0.05
    killed, other = (asking.start(endpoint.base_url, ledger, 300) for _ in range(2))
    wait_until(lambda: endpoint.tally.answered > 150)
    killed.kill()
    killed.communicate()
    counted = asking.result(other)

    assert counted["answers"] == 300
    assert 300 <= endpoint.tally.calls <= 300 + asking.CONCURRENCY


def test_a_batch_of_a_killed_payer_is_taken_up_and_not_paid_again(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.batch_polls = 10_000
    killed = asking.start(endpoint.base_url, ledger, 300, **BATCHED)
    wait_until(lambda: bool(endpoint.endpoint.batches.batches))
    other = asking.start(endpoint.base_url, ledger, 300, **BATCHED)
    killed.kill()
    killed.communicate()
    endpoint.behaviour.batch_polls = 0

    assert asking.result(other)["answers"] == 300
    assert endpoint.tally.calls == 300
    assert max(endpoint.tally.by_content.values()) == 1


def test_a_payer_that_was_held_up_is_succeeded_and_its_late_answers_are_booked(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.latency_s = 0.05
    held_up = asking.start(endpoint.base_url, ledger, 60)
    wait_until(lambda: endpoint.tally.answered > 10)
    hold_up(held_up, ledger)
    other = asking.result(asking.start(endpoint.base_url, ledger, 60))
    kept = sorted(answers(ledger))
    held_up.send_signal(signal.SIGCONT)
    late = asking.result(held_up)

    assert other["answers"] == late["answers"] == 60
    assert sorted(answers(ledger)) == kept
    assert 60 <= endpoint.tally.calls <= 60 + asking.CONCURRENCY
    spent, [row] = ledger_stats(ledger)
    assert spent.calls == row.attempts
    # Who is stopped while it connects fails later, with or without having reached the endpoint.
    with closing(sqlite3.connect(ledger)) as db:
        lost = "SELECT count(*) FROM attempts WHERE outcome IN ('connection', 'timeout')"
        [(broken,)] = db.execute(lost).fetchall()
    assert endpoint.tally.calls <= row.attempts <= endpoint.tally.calls + broken
    assert row.unanswered == 0


def hold_up(process: subprocess.Popen[bytes], ledger: Path) -> None:
    """Stop a process between two transactions: within one it would hold all others up."""
    with closing(sqlite3.connect(ledger, timeout=0.5, isolation_level=None)) as db:
        while True:
            process.send_signal(signal.SIGSTOP)
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
            else:
                db.execute("ROLLBACK")
                return


def answers(ledger: Path) -> Iterator[tuple[object, ...]]:
    with Ledger(ledger) as opened:
        yield from opened.rows("SELECT key, answer, answered_at FROM answers")


async def test_a_ledger_is_one_by_whatever_path_it_is_named(
    endpoint: Handle, ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.behaviour.latency_s = 0.1
    (tmp_path / "home").mkdir()
    link = tmp_path / "home" / "link.sqlite"
    with Ledger(ledger):
        link.symlink_to(ledger)
    monkeypatch.chdir(tmp_path)
    role = role_at(endpoint.base_url)
    async with (
        teacher(role, ledger) as one,
        teacher(role, link) as other,
        teacher(role, Path("home/../ledger.sqlite")) as third,
    ):
        await asyncio.gather(*(chat.ask(said("same")) for chat in (one, other, third)))

    assert endpoint.tally.calls == 1


async def test_who_waits_for_a_request_that_is_refused_asks_itself(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.status, endpoint.behaviour.latency_s = 400, 0.1
    role = role_at(endpoint.base_url)
    async with teacher(role, ledger) as one, teacher(role, ledger) as other:
        results = await asyncio.gather(
            *(chat.ask(said("same")) for chat in (one, other)), return_exceptions=True
        )

    assert [type(result) for result in results] == [CallRejectedError] * 2
    assert endpoint.tally.calls == 2
    assert leases(ledger) == []


async def test_a_cap_and_a_pace_hold_nobody_up_who_waits(endpoint: Handle, ledger: Path) -> None:
    role = role_at(endpoint.base_url, pace={"rpm": 1200, "concurrency": 4})
    budget = Budget(max_calls=60)
    async with teacher(role, ledger, budget) as one, teacher(role, ledger, budget) as other:
        asked = [chat.ask(said(number)) for chat in (one, other) for number in range(60)]
        replies = await asyncio.wait_for(asyncio.gather(*asked), 30)

    assert len(replies) == 120
    assert endpoint.tally.calls == 60


def test_an_owner_is_given_up_by_the_waiters_own_beats_alone(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(ledger) as gone, Ledger(ledger) as waiter:
        gone.reserve(WANTED, budget=Budget())
        gone.leases._stop.set()
        for step in (1e6, -1e6):
            monkeypatch.setattr(time, "time", lambda step=step: 1.8e9 + step)
            assert isinstance(waiter.reserve(WANTED, budget=Budget()), Taken)
        begun = time.monotonic()
        wait_until(lambda: not waiter.held())

        assert time.monotonic() - begun < (STALE_BEATS + 8) * BEAT_S
        assert not isinstance(waiter.reserve(WANTED, budget=Budget()), Taken)


def test_nobody_is_given_up_while_the_file_is_locked(ledger: Path) -> None:
    """A long import or prune: the payer cannot beat, and nor can who waits."""
    with Ledger(ledger) as payer, Ledger(ledger) as waiter:
        payer.reserve(WANTED, budget=Budget())
        assert waiter.held() == {"k"}
        with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            until = time.monotonic() + (STALE_BEATS + 2) * BEAT_S
            while time.monotonic() < until:
                assert waiter.held() == {"k"}
                time.sleep(0.1)
            other.execute("ROLLBACK")
        time.sleep(2 * BEAT_S)
        assert waiter.held() == {"k"}


def test_processes_that_make_a_ledger_at_once_make_one(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.latency_s = 0.01
    all_at_once = [asking.start(endpoint.base_url, ledger, 5) for _ in range(6)]

    assert [asking.result(one)["answers"] for one in all_at_once] == [5] * 6
    assert endpoint.tally.calls == 5
    assert ledger.stat().st_mode & 0o777 == 0o600


def test_a_ledger_that_many_open_at_the_same_instant_is_made_or_brought_up_to_date_once(
    tmp_path: Path,
) -> None:
    code = """
import os, shutil, sys, time
from pathlib import Path
from pipeline.llm.ledger import Ledger
for number in range(20):
    path = Path(sys.argv[1]) / f"{number}.sqlite"
    if number % 2:
        shutil.copy(sys.argv[2], path)
    until, children = time.monotonic() + 0.05, []
    for _ in range(6):
        children.append(os.fork())
        if children[-1] == 0:
            while time.monotonic() < until:
                pass
            try:
                with Ledger(path) as ledger:
                    ledger.rows("SELECT * FROM leases")
            except BaseException as error:
                print(error, file=sys.stderr)
                os._exit(1)
            os._exit(0)
    assert not any(os.waitpid(child, 0)[1] for child in children)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(OLD)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode == 0
