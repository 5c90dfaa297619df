"""A process that holds the ledger's lock, however long, costs no answer that arrives meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pipeline.llm import CallRejectedError, ledger_lock
from pipeline.llm.ledger import Ledger, LedgerError
from pipeline.llm.ledger_lock import holder
from pipeline.llm.ledger_transfer import ledger_stats
from tests.mock_endpoint import Handle
from tests.teachers import role_at, said, teacher

HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(ledger: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Let a process take the ledger's lock, and be stopped."""
    command = [sys.executable, "-c", HOLD, str(ledger)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGSTOP)
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_lock, "SAID_AFTER_S", 0.2)


@pytest.mark.usefixtures("told_at_once")
@pytest.mark.parametrize("mode", ["live", "batch"])
async def test_answers_that_arrive_while_a_stopped_process_has_the_lock_are_kept_when_it_is_free(
    endpoint: Handle, ledger: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.behaviour.latency_s, endpoint.behaviour.batch_polls = 0.5, 25
    role = role_at(endpoint.base_url, mode=mode, batch={"poll_s": 0.02}, pace={"timeout_s": 1.0})
    async with teacher(role, ledger) as chat:
        asked = [asyncio.ensure_future(chat.ask(said(number))) for number in range(12)]
        while not endpoint.tally.calls and not endpoint.endpoint.batches.batches:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        with locked(ledger) as process:
            ticks = 0
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                await asyncio.sleep(0.01)
                ticks += 1
            answered = endpoint.tally.answered
            kept_meanwhile = answers(ledger)
            assert holder(ledger) == process.pid
        replies = await asyncio.gather(*asked)

    assert ticks > 60
    assert answered >= 8
    assert kept_meanwhile == 0
    assert len({reply.text for reply in replies}) == answers(ledger) == 12
    assert endpoint.tally.calls == chat.count.calls == ledger_stats(ledger)[0].calls == 12
    told = capsys.readouterr().err
    assert f"{ledger}: waiting up to 15 minutes, since process {process.pid} holds" in told
    assert f"stopped: let it go on (kill -CONT {process.pid})" in told
    assert told.count("waiting") == told.count("going on.") == 1


@pytest.mark.usefixtures("told_at_once")
async def test_who_waited_long_gives_up_with_one_error_that_names_the_file(
    endpoint: Handle, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_lock, "MOST_WAIT_S", 1.0)
    endpoint.behaviour.latency_s = 0.5
    begun = time.monotonic()
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        asked = [asyncio.ensure_future(chat.ask(said(number))) for number in range(30)]
        while endpoint.tally.calls < 8:
            await asyncio.sleep(0.01)
        with locked(ledger) as process:
            results = await asyncio.gather(*asked, return_exceptions=True)
            [error] = {str(result) for result in results}

    assert {type(result) for result in results} == {LedgerError}
    assert f"{ledger}: cannot be written" in error
    assert f"kill -CONT {process.pid}" in error
    assert time.monotonic() - begun < 15


@pytest.mark.usefixtures("told_at_once")
async def test_a_failure_that_is_booked_late_is_booked_once(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.status, endpoint.behaviour.latency_s = 400, 0.5
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        asked = [asyncio.ensure_future(chat.ask(said(number))) for number in range(8)]
        while endpoint.tally.calls < 8:
            await asyncio.sleep(0.01)
        with locked(ledger):
            await asyncio.sleep(1.5)
        results = await asyncio.gather(*asked, return_exceptions=True)

    assert {type(result) for result in results} == {CallRejectedError}
    spent, [row] = ledger_stats(ledger)
    assert (spent.calls, row.attempts, row.failed, row.unanswered) == (8, 8, 8, 0)


@pytest.mark.usefixtures("told_at_once")
def test_opening_waits_for_a_file_that_another_process_has_locked_whole(
    ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Ledger(ledger).close()
    code = HOLD.replace("BEGIN IMMEDIATE", "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE")
    code = code.replace("db.execute(", "db.executescript(")
    command = [sys.executable, "-c", code, str(ledger)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        os.kill(process.pid, signal.SIGSTOP)
        resume = f"import os, time; time.sleep(1.5); os.kill({process.pid}, 9)"
        killer = subprocess.Popen([sys.executable, "-c", resume])
        with Ledger(ledger) as opened:
            assert opened.spent().calls == 0
        killer.wait()

    assert f"since process {process.pid} holds its lock and is stopped" in capsys.readouterr().err


def test_the_holder_of_a_free_ledger_is_nobody(ledger: Path) -> None:
    with Ledger(ledger) as opened:
        assert holder(ledger) is None
        with opened.transaction():
            assert holder(ledger) is None


def answers(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as db:
        [(count,)] = db.execute("SELECT count(*) FROM answers").fetchall()
    return int(count)
