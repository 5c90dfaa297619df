"""The ledger: every call to a model, kept where no stage deletes it.

One SQLite file. `answers` holds each raw request and raw answer under the hash of the rendered
request; `attempts` every attempt sent, answered or not; `spent` the running totals that the
budget is checked against; `pace` the shared buckets of the rate limits; `batches` the provider's
batches in flight; `leases` who is paying for what, `owners` who is alive (see `leases`). An answer
is committed before anyone sees it, so a killed process loses only the calls that were in flight.
Several processes may share a ledger.

`synchronous=NORMAL` survives the death of the process at any moment; a power cut may lose the last
commits but never the file.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.llm.answer import ANSWER_COLUMNS, YEAR_2100, Answer
from pipeline.llm.budget import Usage, broken_cap, budget_spent
from pipeline.llm.leases import Leases
from pipeline.llm.ledger_file import LedgerError, explained, not_whole
from pipeline.llm.ledger_writer import LedgerWriter
from pipeline.llm.rate_limit import Bucket
from pipeline.llm.role import Budget

__all__ = ["Admission", "Answer", "Ledger", "LedgerError", "Reservation", "Taken"]

_NAMES = ", ".join(ANSWER_COLUMNS)
_MARKS = ", ".join("?" * len(ANSWER_COLUMNS))
_INSERT = f"INSERT OR IGNORE INTO answers ({_NAMES}) VALUES ({_MARKS})"  # noqa: S608  our names


@dataclass(frozen=True)
class Reservation:
    """What one attempt may take at most: `usd` is 0 where no price is known.

    `parts` are the requests that it asks in one; `batches_at` is the endpoint that it goes to by
    batch, whose open batches it must leave alone.
    """

    key: str
    role: str
    stage: str
    tokens: int
    usd: float
    parts: tuple[str, ...] = ()
    batches_at: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The requests that its answer would answer."""
        return self.parts or (self.key,)


@dataclass(frozen=True)
class Admission:
    """Leave to send one attempt, now."""

    attempt: int
    reservation: Reservation


@dataclass(frozen=True)
class Taken:
    """Requests that are answered already, or that somebody else is paying for."""

    keys: frozenset[str]


class Ledger(LedgerWriter):
    """A ledger that is also written; it is made where there is none. See the module."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.leases = Leases(self._db, self._file)

    def close(self) -> None:
        """Give back what was leased, and close the file."""
        if self.leases.stop():
            # One by one: a disk that is full may have room for the smaller.
            self.try_at_end(self.leases.release_all)
            self.try_at_end(self.leases.leave)
        self._db.close()

    def reserve(
        self, wanted: Reservation, *, budget: Budget, buckets: tuple[Bucket, ...] = ()
    ) -> Admission | Taken | float:
        """Take one attempt's worst case out of the budget and its draw out of the buckets.

        Returns, with nothing taken, which requests are answered or being paid for by another
        process; or the seconds to wait, where a bucket is empty: nothing is booked ahead, so a
        process that was held up cannot send all at once what it had booked. Raises
        BudgetSpentError, with nothing taken, if a cap could be passed.
        """
        with self.transaction() as db:
            # One clock for all processes of the machine, which nobody sets.
            now = time.monotonic()
            taken = self.leases.taken(wanted.keys, batches_at=wanted.batches_at)
            if taken:
                return Taken(taken)
            spent = self.spent()
            cap = broken_cap(budget, spent, wanted.tokens, wanted.usd)
            if cap is not None:
                raise budget_spent(cap, budget, spent)
            states = [(bucket, self._full_at(bucket, now)) for bucket in buckets]
            wait_s = max((one.wait_s(full_at, now) for one, full_at in states), default=0.0)
            if wait_s > 0:
                return wait_s
            for one, full_at in states:
                left_s = one.after(full_at, now) - now
                db.execute("INSERT OR REPLACE INTO pace VALUES (?, ?, ?)", (one.name, left_s, now))
            self.leases.take(wanted.keys)
            attempt = db.execute(
                "INSERT INTO attempts (key, role, stage, started_at, tokens, usd)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (wanted.key, wanted.role, wanted.stage, today(), wanted.tokens, wanted.usd),
            ).lastrowid
            assert attempt is not None
            _add(db, calls=1, tokens=wanted.tokens, usd=wanted.usd)
        return Admission(attempt, wanted)

    def _full_at(self, bucket: Bucket, now: float) -> float:
        """Return when a bucket will be full, by the clock that `now` is of."""
        rows = self.rows("SELECT left_s, at FROM pace WHERE name = ?", bucket.name)
        for left_s, at in rows:
            if not isinstance(left_s, int | float) or not isinstance(at, int | float):
                raise not_whole(self.path, f"pace of {bucket.name} is no number")
            return bucket.full_at(left_s, at, now)
        return now

    def settle(
        self,
        admission: Admission,
        outcome: str,
        *,
        usage: Usage | None = None,
        usd: float | None = None,
        answers: Sequence[Answer] = (),
        buckets: tuple[Bucket, ...] = (),
    ) -> None:
        """Book what an attempt came to, with its answers if it has any.

        Without `usage` the worst case stands: what a failed attempt cost is the provider's secret.
        An answer that came later than another's to the same request is booked and not kept. What is
        settled stays so: two processes may watch one batch, after one of them was held up.
        """
        wanted = admission.reservation
        tokens = wanted.tokens if usage is None else usage.total
        paid = wanted.usd if usage is None or usd is None else usd
        with self.transaction() as db:
            for answer in answers:
                add_answer(db, answer)
            self.leases.end([answer.key for answer in answers])
            settled = db.execute(
                "UPDATE attempts SET finished_at = ?, outcome = ?, tokens = ?, usd = ?"
                " WHERE id = ? AND outcome IS NULL",
                (today(), outcome, tokens, paid, admission.attempt),
            ).rowcount
            if settled and usage is not None:
                _add(db, calls=0, tokens=tokens - wanted.tokens, usd=paid - wanted.usd)
                for bucket in buckets:
                    db.execute(
                        "UPDATE pace SET left_s = left_s - ? WHERE name = ?",
                        (bucket.credit_s(tokens), bucket.name),
                    )

    def held(self) -> frozenset[str]:
        """Return the requests that living others are paying for."""
        with explained(self.path):
            return self.leases.held()

    def give_up(self, keys: Sequence[str]) -> None:
        """Let others ask what this process failed to get; what a batch carries stays its own."""
        with self.transaction():
            self.leases.release(keys)

    def withdraw(self, attempts: Sequence[int]) -> None:
        """Give back attempts that were never sent."""
        with self.transaction() as db:
            for attempt in attempts:
                row = db.execute(
                    "DELETE FROM attempts WHERE id = ? AND outcome IS NULL RETURNING tokens, usd",
                    (attempt,),
                ).fetchone()
                if row is not None:
                    _add(db, calls=-1, tokens=-row[0], usd=-row[1])


def add_answer(db: sqlite3.Connection, answer: Answer) -> bool:
    """Add an answer unless its request has one; return whether it was added."""
    values = tuple(getattr(answer, name) for name in ANSWER_COLUMNS)
    return db.execute(_INSERT, values).rowcount == 1


def today() -> float:
    """Return the time for the record, of a year that a ledger may hold; nothing waits by it."""
    return min(max(time.time(), 0.0), YEAR_2100)


def _add(db: sqlite3.Connection, *, calls: int, tokens: int, usd: float) -> None:
    db.execute(
        "UPDATE spent SET calls = calls + ?, tokens = tokens + ?, usd = usd + ?",
        (calls, tokens, usd),
    )
