"""The ledger survives damage, a full disk and company, and says how to go on."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.llm.budget import Usage
from pipeline.llm.chat import chat_key
from pipeline.llm.ledger import Admission, Answer, Ledger, LedgerError, Reservation
from pipeline.llm.ledger_transfer import export_answers, import_answers, ledger_stats
from pipeline.llm.role import Budget
from pipeline.workspace import PROJECT

WANTED = Reservation(key="k", role="teacher", stage="test", tokens=100, usd=0.5)


def answer(number: int, text: str = "I hear you.") -> Answer:
    request = f'{{"messages":[],"seed":{number}}}'
    return Answer(
        key=chat_key(request.encode(), 0),
        role="teacher",
        stage="test",
        model="mock",
        sample=0,
        request=request,
        answer='{"choices": [{"message": {"content": "' + text + '"}}]}',
        tokens_in=10,
        tokens_out=5,
        usd=0.1,
        latency_s=0.2,
        answered_at=1.0,
    )


def reserved(ledger: Ledger) -> Admission:
    admission = ledger.reserve(WANTED, budget=Budget())
    assert isinstance(admission, Admission)
    return admission


def fill(path: Path, rows: int, text: str = "I hear you.") -> None:
    with Ledger(path) as ledger:
        for number in range(rows):
            ledger.settle(
                reserved(ledger),
                "answered",
                usage=Usage(10, 5),
                usd=0.1,
                answers=[answer(number, text)],
            )


def test_what_was_reserved_is_replaced_by_what_was_used(ledger: Path) -> None:
    with Ledger(ledger) as opened:
        first = reserved(opened)
        reserved(opened)
        opened.settle(first, "answered", usage=Usage(10, 5), usd=0.1, answers=[answer(1)])

        assert opened.spent().calls == 2
        assert opened.spent().tokens == 15 + 100
        assert opened.spent().usd == pytest.approx(0.1 + 0.5)


def test_an_attempt_that_was_never_sent_is_given_back(ledger: Path) -> None:
    with Ledger(ledger) as opened:
        admission = reserved(opened)
        opened.withdraw([admission.attempt])
        opened.withdraw([admission.attempt])

        assert opened.spent().calls == 0
        assert opened.spent().tokens == 0


def test_an_answer_is_kept_once(ledger: Path) -> None:
    fill(ledger, 1)
    fill(ledger, 1, text="Another one.")

    with Ledger(ledger) as opened:
        assert opened.answer_text(answer(0).key) == answer(0).answer


def test_only_the_owner_may_read_it(ledger: Path) -> None:
    fill(ledger, 1)

    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600


def test_a_newer_ledger_is_refused(ledger: Path) -> None:
    fill(ledger, 1)
    with sqlite3.connect(ledger) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(LedgerError, match=r"version 99, this program reads 2\nUpdate"):
        Ledger(ledger)


def test_a_file_that_is_no_ledger_is_left_alone(ledger: Path) -> None:
    ledger.write_bytes(b"this is no database at all" * 100)

    with pytest.raises(LedgerError, match=r"not a whole ledger[\s\S]*export .* --salvage"):
        Ledger(ledger)

    assert ledger.read_bytes() == b"this is no database at all" * 100


def test_a_damaged_ledger_loses_nothing_that_can_be_read(ledger: Path, tmp_path: Path) -> None:
    fill(ledger, 400, text="x" * 500)
    content = bytearray(ledger.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 3 * 4096] = os.urandom(3 * 4096)
    ledger.write_bytes(content)
    saved, mended = tmp_path / "saved.jsonl", tmp_path / "mended.sqlite"

    with pytest.raises(LedgerError, match="--salvage"):
        export_answers(ledger, saved)
    assert not saved.exists()

    kept = export_answers(ledger, saved, salvage=True)
    added, _ = import_answers(mended, saved)

    assert kept == added
    assert kept > 350
    assert ledger.read_bytes() == content


def test_a_full_disk_is_an_error_that_keeps_what_was_committed(ledger: Path) -> None:
    """A limit on file size stands for the disk: it fails in the same place, a write."""
    code = """
import resource, sys
from pathlib import Path
from tests.llm.test_ledger import fill
from pipeline.llm.ledger import LedgerError
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    fill(Path(sys.argv[1]), 10_000, text="x" * 500)
except LedgerError as error:
    sys.exit(str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(ledger)],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )

    assert "Free disk space" in done.stderr
    with Ledger(ledger) as opened:
        [(kept,)] = opened.rows("SELECT count(*) FROM answers")
        opened.settle(reserved(opened), "http_500")
    assert int(str(kept)) > 10


def test_two_processes_share_it_without_losing_a_row(ledger: Path) -> None:
    code = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.llm.test_ledger import WANTED, Ledger, Budget, Usage, answer
first = int(sys.argv[2])
with Ledger(Path(sys.argv[1])) as ledger:
    for number in range(first, first + 300):
        wanted = replace(WANTED, key=f"{first} {number}")
        admission = ledger.reserve(wanted, budget=Budget())
        ledger.settle(admission, "answered", usage=Usage(1, 1), usd=0, answers=[answer(number)])
"""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(ledger), first],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        for first in ("0", "200")
    ]

    assert [process.wait(60) for process in running] == [0, 0]
    spent, [row] = ledger_stats(ledger)
    assert row.answers == 500
    assert spent.calls == row.attempts == 600
    assert spent.tokens == 1200


def test_a_killed_writer_leaves_a_whole_ledger(ledger: Path) -> None:
    code = """
import sys
from pathlib import Path
from tests.llm.test_ledger import fill
print("ready", flush=True)
fill(Path(sys.argv[1]), 1_000_000)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(ledger)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    _wait_until(lambda: ledger.is_file() and _answers(ledger) > 50)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    with Ledger(ledger) as opened:
        [(check,)] = opened.rows("PRAGMA integrity_check")
        spent = opened.spent()
        [(calls, tokens)] = opened.rows("SELECT count(*), sum(tokens) FROM attempts")
    assert check == "ok"
    assert (spent.calls, spent.tokens) == (calls, tokens)


def _answers(path: Path) -> int:
    try:
        with Ledger(path) as opened:
            [(count,)] = opened.rows("SELECT count(*) FROM answers")
    except LedgerError:
        return 0
    return int(str(count))


def _wait_until(claim: Callable[[], bool]) -> None:
    import time

    until = time.monotonic() + 30
    while not claim():
        assert time.monotonic() < until
        time.sleep(0.02)
