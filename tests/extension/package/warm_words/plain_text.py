"""An export format: the ids of the rows, one a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.exports.formats import Format
from pipeline.exports.tables import Kind
from pipeline.records import SplitName


class Lines:
    """One text file."""

    def __init__(self, folder: Path, kind: Kind, split: SplitName) -> None:
        self.rows = 0
        self._path = folder / f"{kind}-{split}.txt"
        self._lines: list[str] = []

    def write(self, batch: Any) -> None:
        """Add the ids of `batch`."""
        self.rows += batch.num_rows
        self._lines += batch["id"].to_pylist()

    def close(self) -> list[Path]:
        """Write the file."""
        self._path.write_text("".join(f"{line}\n" for line in self._lines), encoding="utf-8")
        return [self._path]


PLAIN_TEXT = Format(Lines, "One id a line.")
