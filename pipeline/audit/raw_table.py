"""Columns as they are read, and the notes on what was left out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import TableError
from pipeline.unfolding import sizes

# A small file may unfold to more than any memory: what its values take is counted.
MAX_UNFOLDED_BYTES = 2 * 1024**3
MAX_ROWS = 2_000_000
# More are no columns but a mapping: every row would bring its own.
MAX_COLUMNS = 1000


@dataclass
class RawTable:
    """Columns of equal length, as read; `notes` say what was left out and why.

    While rows are added, a column is as long as its last value needs; `close` makes all equal.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    rows: int = 0
    notes: list[str] = field(default_factory=list)
    unfolded_bytes: int = 0
    left_out: int = 0
    _names: tuple[str, ...] = ()
    _targets: Sequence[MutableSequence[Any]] = ()

    def append(self, row: dict[str, Any], path: Path) -> None:
        """Add one row; columns that it lacks are None there."""
        self._aim_at(tuple(row))
        for column, value in zip(self._targets, row.values(), strict=True):
            column.append(value)
        self.rows += 1
        self.unfolded_bytes += sizes.of_cells(row.values())
        self.check_size(path)

    def extend(self, block: Mapping[str, list[Any]], size: int, path: Path) -> None:
        """Add rows that are columns of equal length already, of `size` bytes."""
        self._aim_at(tuple(block))
        for column, values in zip(self._targets, block.values(), strict=True):
            column.extend(values)
        self.rows += len(next(iter(block.values()), ()))
        self.unfolded_bytes += size
        self.check_size(path)

    def _aim_at(self, names: tuple[str, ...]) -> None:
        if names != self._names:
            self._names, self._targets = names, [self._target(name) for name in names]

    def _target(self, name: str) -> MutableSequence[Any]:
        """Return the column called `name`, filled up to this row; one too many keeps nothing."""
        column = self.columns.get(name)
        if column is None:
            if len(self.columns) == MAX_COLUMNS:
                self.left_out += 1
                return deque(maxlen=0)
            column = self.columns[name] = []
        column += [None] * (self.rows - len(column))
        return column

    def close(self, path: Path) -> None:
        """Fill up all columns; the table is complete."""
        self.unfolded_bytes += 8 * sum(self.rows - len(column) for column in self.columns.values())
        self.check_size(path)
        for column in self.columns.values():
            column.extend([None] * (self.rows - len(column)))
        if self.left_out:
            self.notes.append(
                f"over {MAX_COLUMNS:,} columns: what is in the others, such as "
                f"{self._names[-1][:60]!r}, was left out"
            )

    def check_size(self, path: Path, *, more_rows: int = 0) -> None:
        """Raise TableError if the rows, with `more_rows` to come, are too many or too large."""
        if self.unfolded_bytes > MAX_UNFOLDED_BYTES or self.rows + more_rows > MAX_ROWS:
            raise TableError(
                path,
                f"over {MAX_ROWS:,} rows or {MAX_UNFOLDED_BYTES // 1024**2:,} MiB of values",
                hint="Audit a part of it: split the file and audit each piece.",
            )


def shown(name: str | Path) -> str:
    """Return a name from the disk as text; bytes in it that are no UTF-8 are written out."""
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def unique_names(header: list[str], table: RawTable) -> list[str]:
    """Return the names of columns, each once; those that were there twice are noted."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for position, given in enumerate(header):
        name = given.strip() or f"column_{position}"
        seen[name] += 1
        if seen[name] > 1:
            if len(table.notes) < MAX_COLUMNS:
                table.notes.append(f"column {name!r} is there twice: read as '{name}.{seen[name]}'")
            name = f"{name}.{seen[name]}"
        names.append(name)
    return names


class RowNumbers:
    """Numbers of rows to say something about: the first five, and how many more."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._more = 0

    def add(self, row: int) -> None:
        """Add a row."""
        if len(self._first) < 5:
            self._first.append(row)
        else:
            self._more += 1

    def note(self, table: RawTable, what: str) -> None:
        """Note `what` of these rows, if there are any."""
        if self._first:
            more = f" and {self._more} more" if self._more else ""
            table.notes.append(f"{what}: {', '.join(map(str, self._first))}{more}")
