"""The ledger: every call to a model, kept where no stage deletes it.

One SQLite file. `answers` holds each raw request and raw answer under the hash of the rendered
request; `attempts` every attempt sent, answered or not; `spent` the running totals that the
budget is checked against; `pace` the shared buckets of the rate limits; `batches` the provider's
batches in flight. An answer is committed before anyone sees it, so a killed process loses only
the calls that were in flight. Several processes may share a ledger.

`synchronous=NORMAL` survives the death of the process at any moment; a power cut may lose the last
commits but never the file.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field

from pipeline.errors import PipelineError
from pipeline.llm.budget import Spent, Usage, broken_cap, budget_spent
from pipeline.llm.ledger_schema import CREATE, VERSION
from pipeline.llm.rate_limit import Bucket
from pipeline.llm.role import Budget
from pipeline.records import Record
from pipeline.storage import require_file

BUSY_S = 30.0


class LedgerError(PipelineError):
    """The ledger cannot be read or written."""


class Answer(Record):
    """One answered call: the raw request and answer as JSON text, without any API key or address.

    A row of the ledger and a line of its export.
    """

    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    role: str
    stage: str
    model: str
    sample: int
    request: str
    answer: str
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    latency_s: float
    answered_at: float


ANSWER_COLUMNS = tuple(Answer.model_fields)
_NAMES = ", ".join(ANSWER_COLUMNS)
_MARKS = ", ".join("?" * len(ANSWER_COLUMNS))
_INSERT = f"INSERT OR IGNORE INTO answers ({_NAMES}) VALUES ({_MARKS})"  # noqa: S608  our names


@dataclass(frozen=True)
class Reservation:
    """What one attempt may take at most: `usd` is 0 where no price is known."""

    key: str
    role: str
    stage: str
    tokens: int
    usd: float


@dataclass(frozen=True)
class Admission:
    """Leave to send one attempt, now."""

    attempt: int
    reservation: Reservation


class Ledger:
    """An open ledger file; see the module for what it holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            require_file(path)  # SQLite would follow a link
            path.parent.mkdir(parents=True, exist_ok=True)
            # Prompts hold people's words: nobody else on the machine reads them.
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            raise LedgerError(
                f"{self.path}: a ledger of version {version}, this program reads {VERSION}\n"
                "Update the program, or use another ledger file."
            )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if version < VERSION:
            self._db.executescript(CREATE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's and the disk's errors into one that names a way out."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise LedgerError(
                f"{self.path}: the ledger cannot be read or written ({error})\n"
                "Free disk space, or check the folder's rights and that no other program holds the "
                "file, then run the same command again: every answer committed so far is kept."
            ) from error
        except sqlite3.DatabaseError as error:
            raise LedgerError(
                f"{self.path}: not a whole ledger ({error})\n"
                "Nothing was changed. Save what is readable with "
                "`distillery ledger export saved.jsonl --salvage`, move the file away, then "
                "`distillery ledger import saved.jsonl`."
            ) from error
        except OSError as error:
            raise LedgerError(f"{self.path}: {error.strerror}\nCheck the path.") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock for one group of statements."""
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # A failed COMMIT may already have ended the transaction.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Return all rows of a query."""
        with self._explained():
            return self._db.execute(query, values).fetchall()

    def scan(self, query: str, *values: object) -> Iterator[tuple[object, ...]]:
        """Yield the rows of a query without holding them all."""
        with self._explained():
            yield from self._db.execute(query, values)

    def answer_text(self, key: str) -> str | None:
        """Return the raw answer of a request, None if it was never answered."""
        with self._explained():
            row = self._db.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def spent(self) -> Spent:
        """Return the totals that the budget is checked against."""
        with self._explained():
            row = self._db.execute("SELECT calls, tokens, usd FROM spent").fetchone()
        return Spent(calls=row[0], tokens=row[1], usd=row[2])

    def reserve(
        self, wanted: Reservation, *, budget: Budget, buckets: tuple[Bucket, ...] = ()
    ) -> Admission | float:
        """Take one attempt's worst case out of the budget and its draw out of the buckets.

        Returns the seconds to wait, with nothing taken, where a bucket is empty: nothing is booked
        ahead, so a process that was held up cannot send all at once what it had booked. Raises
        BudgetSpentError, with nothing taken, if a cap could be passed.
        """
        now = time.time()
        with self.transaction() as db:
            spent = self.spent()
            cap = broken_cap(budget, spent, wanted.tokens, wanted.usd)
            if cap is not None:
                raise budget_spent(cap, budget, spent)
            states = [(bucket, _full_at(db, bucket)) for bucket in buckets]
            wait_s = max((one.wait_s(full_at, now) for one, full_at in states), default=0.0)
            if wait_s > 0:
                return wait_s
            for one, full_at in states:
                db.execute(
                    "INSERT OR REPLACE INTO pace VALUES (?, ?)", (one.name, one.after(full_at, now))
                )
            attempt = db.execute(
                "INSERT INTO attempts (key, role, stage, started_at, tokens, usd)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (wanted.key, wanted.role, wanted.stage, now, wanted.tokens, wanted.usd),
            ).lastrowid
            assert attempt is not None
            _add(db, calls=1, tokens=wanted.tokens, usd=wanted.usd)
        return Admission(attempt, wanted)

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
        """
        wanted = admission.reservation
        tokens = wanted.tokens if usage is None else usage.total
        paid = wanted.usd if usage is None or usd is None else usd
        with self.transaction() as db:
            for answer in answers:
                add_answer(db, answer)
            db.execute(
                "UPDATE attempts SET finished_at = ?, outcome = ?, tokens = ?, usd = ?"
                " WHERE id = ?",
                (time.time(), outcome, tokens, paid, admission.attempt),
            )
            if usage is not None:
                _add(db, calls=0, tokens=tokens - wanted.tokens, usd=paid - wanted.usd)
                for bucket in buckets:
                    db.execute(
                        "UPDATE pace SET full_at = full_at - ? WHERE name = ?",
                        (bucket.credit_s(tokens), bucket.name),
                    )

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


def _full_at(db: sqlite3.Connection, bucket: Bucket) -> float:
    row = db.execute("SELECT full_at FROM pace WHERE name = ?", (bucket.name,)).fetchone()
    return float(row[0]) if row else 0.0


def _add(db: sqlite3.Connection, *, calls: int, tokens: int, usd: float) -> None:
    db.execute(
        "UPDATE spent SET calls = calls + ?, tokens = tokens + ?, usd = usd + ?",
        (calls, tokens, usd),
    )
