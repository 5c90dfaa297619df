"""The ledger's file: what may be opened, how, and what its reader may trust.

A ledger may come from another machine or another hand, so its application id and its schema are
compared before a row is read. Who reads writes nothing: no file, no table, no lock left behind.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from pipeline.errors import PipelineError
from pipeline.llm.budget import Spent
from pipeline.llm.ledger_schema import version_of

BUSY_S = 30.0
# A whole check takes about 10 ms a MiB; a larger file is checked as it is read.
CHECKED_BYTES = 4 * 2**20
# The longest value that may be read into memory.
MAX_VALUE_BYTES = 64 * 2**20


class LedgerError(PipelineError):
    """The ledger cannot be read or written."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's and the disk's errors into one that names a way out."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise LedgerError(
            f"{path}: the ledger cannot be read or written ({error})\n"
            "Free disk space, or check the folder's rights and that no other program holds the "
            "file, then run the same command again: every answer committed so far is kept."
        ) from error
    except sqlite3.DatabaseError as error:
        raise not_whole(path, str(error)) from error
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}\nCheck the path.") from error


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another connection has the lock that was wanted."""
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def not_whole(path: Path, problem: str) -> LedgerError:
    """Return the error of a damaged ledger."""
    return LedgerError(
        f"{path}: not a whole ledger ({problem})\n"
        "Nothing was changed. Save what is readable with "
        "`distillery ledger export saved.jsonl --salvage`, move the file away, then "
        "`distillery ledger import saved.jsonl`."
    )


def written_to(path: Path) -> LedgerError:
    """Return the error of a ledger that changed under its reader."""
    return LedgerError(f"{path}: was written to while it was read\nRun the same command again.")


def existing_file(path: Path) -> Path:
    """Return the file that `path` is, by whatever name or link; raises LedgerError if none."""
    try:
        file = path.resolve(strict=True)
    except FileNotFoundError:
        raise LedgerError(
            f"{path}: no such ledger\nNothing was asked here yet; check the path."
        ) from None
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}\nCheck the path.") from error
    except RuntimeError as error:  # links in a circle
        raise LedgerError(f"{path}: {error}\nCheck the path.") from error
    if not file.is_file():
        kind = "a folder" if file.is_dir() else "no regular file"
        raise LedgerError(f"{path}: {kind}, not a ledger\nCheck the path.")
    return file


def new_file(path: Path) -> Path:
    """Return `path` as an existing file, made empty where nothing was; never through a link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(path):
        # Prompts hold people's words: nobody else on the machine reads them.
        with suppress(FileExistsError):  # another process made it just now
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    return existing_file(path)


def connect(uri: str, *, timeout_s: float = BUSY_S, any_thread: bool = False) -> sqlite3.Connection:
    """Open a connection that runs nothing the file may bring, and trusts no cell of it."""
    db = sqlite3.connect(
        uri, uri=True, timeout=timeout_s, isolation_level=None, check_same_thread=not any_thread
    )
    try:
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        for setting in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = NORMAL"):
            db.execute(f"PRAGMA {setting}")
    except BaseException:
        db.close()
        raise
    return db


def beside(file: Path) -> dict[str, Path]:
    """Return the files that SQLite may keep beside a database, by their ending."""
    return {end: file.with_name(file.name + end) for end in ("-wal", "-shm", "-journal")}


@contextmanager
def reading_uri(file: Path) -> Iterator[str]:
    """Give how to open `file` without writing anything, its neighbours included.

    At rest a ledger is one file, which SQLite takes as it is. While somebody writes, or after a
    writer was killed, its newest rows are beside it. Where the index of those rows is missing,
    SQLite would make it: then a private copy is read, that is gone afterwards.
    """
    near = beside(file)
    if near["-wal"].is_file() and near["-wal"].stat().st_size:
        if near["-shm"].is_file():
            yield f"{file.as_uri()}?mode=ro&readonly_shm=1"
            return
        with TemporaryDirectory(prefix="ledger-") as folder:
            copy = Path(folder, "ledger.sqlite")
            shutil.copyfile(file, copy)
            shutil.copyfile(near["-wal"], beside(copy)["-wal"])
            if near["-shm"].is_file():  # a writer came, so the halves may not fit
                raise written_to(file)
            yield copy.as_uri()
    elif near["-journal"].is_file():
        yield f"{file.as_uri()}?mode=ro"
    else:
        yield f"{file.as_uri()}?mode=ro&immutable=1"


def write_ahead(db: sqlite3.Connection) -> None:
    """Let readers read while somebody writes."""
    db.execute("PRAGMA journal_mode = WAL")


def check(db: sqlite3.Connection, path: Path, file: Path) -> int:
    """Return the version of an open ledger, 0 if it is empty; raises LedgerError if it is none."""
    own = not db.in_transaction
    if own:  # another process may be making the tables: all of them are seen, or none
        db.execute("BEGIN")
    try:
        version = version_of(db)
    except ValueError as error:
        raise LedgerError(f"{path}: {error}") from error
    finally:
        if own and db.in_transaction:
            db.execute("ROLLBACK")
    if file.stat().st_size <= CHECKED_BYTES:
        [(found,)] = db.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise not_whole(path, str(found))
    return version


class LedgerReader:
    """A ledger that is only read, of this version or an older one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with explained(path):
            self._file = existing_file(path)
            self._open()

    def _open(self) -> None:
        self._stamp = self._file_stamp()
        with ExitStack() as stack:
            uri = stack.enter_context(reading_uri(self._file))
            self._as_it_is = "immutable" in uri
            self._db = stack.enter_context(closing(connect(uri)))
            if check(self._db, self.path, self._file) == 0:
                raise LedgerError(f"{self.path}: empty\nNothing was asked here yet.")
            self._opened = stack.pop_all()

    def _file_stamp(self) -> tuple[int, ...]:
        stat = self._file.stat()
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Return all rows of a query."""
        with explained(self.path):
            while True:
                try:
                    rows = self._db.execute(query, values).fetchall()
                except sqlite3.DatabaseError:
                    if not self._moved():
                        raise
                else:
                    if not self._moved():
                        return rows
                self._opened.close()
                self._open()

    def _moved(self) -> bool:
        """Whether a writer has begun to change a file that SQLite took as it was."""
        return self._as_it_is and self._file_stamp() != self._stamp

    def scan(self, query: str, *values: object) -> Iterator[tuple[object, ...]]:
        """Yield the rows of a query without holding them all."""
        with explained(self.path):
            yield from self._db.execute(query, values)
            if self._moved():
                raise written_to(self.path)

    def answer_text(self, key: str) -> str | None:
        """Return the raw answer of a request, None if it was never answered."""
        rows = self.rows("SELECT answer FROM answers WHERE key = ?", key)
        if not rows:
            return None
        [(text,)] = rows
        if not isinstance(text, str):
            raise not_whole(self.path, f"the answer to {key} is no text")
        return text

    @contextmanager
    def reading(self, key: str) -> Iterator[None]:
        """Turn the ValueError of an answer that cannot be read into a LedgerError."""
        try:
            yield
        except ValueError as error:
            raise LedgerError(
                f"{self.path}: the answer to {key} cannot be read ({error})\n"
                "Delete it with `distillery ledger prune`, by --stage or --older-than-days, then "
                "run the same command again: what was deleted is asked anew."
            ) from error

    def spent(self) -> Spent:
        """Return the totals that the budget is checked against."""
        for calls, tokens, usd in self.rows("SELECT calls, tokens, usd FROM spent"):
            if isinstance(calls, int) and isinstance(tokens, int) and isinstance(usd, int | float):
                return Spent(calls=calls, tokens=tokens, usd=usd)
        raise not_whole(self.path, "what was spent is not said")
