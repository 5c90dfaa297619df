"""Every error a user can act on.

A message states what was found, where, and what to do next. The command line prints it
without a traceback and exits with `exit_code`: 1 means "a gate said no", 2 means "the input
or the usage is wrong". Anything that is not a `PipelineError` is a bug of ours and may crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# A message quotes files, and a cell may be a megabyte long.
_MAX_CHARS = 4000


class PipelineError(Exception):
    """The user can fix this; a message that quotes too much loses its middle."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        if len(message) > _MAX_CHARS:
            half = _MAX_CHARS // 2
            message = f"{message[:half]} […] {message[-half:]}"
        super().__init__(message)


class GateFailedError(PipelineError):
    """A check of the data said no; the run did what it was asked to do."""

    exit_code = 1


class ParamsError(PipelineError):
    """`params.yaml` does not say what the program understands."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{path}: {len(problems)} problem(s)\n{lines}")


class MissingFileError(PipelineError):
    """A path that a command needs is not there."""

    def __init__(self, path: Path, *, hint: str) -> None:
        super().__init__(f"{path}: no such file or folder\n{hint}")


class RowError(PipelineError):
    """One row of an input file cannot be what it claims to be."""

    def __init__(self, path: Path, row: int, problem: str, *, hint: str) -> None:
        super().__init__(f"{path.name} row {row}: {problem}\n{hint}")


class TableError(PipelineError):
    """A file cannot be read as the table that it should hold."""

    def __init__(self, path: Path, problem: str, *, hint: str) -> None:
        super().__init__(f"{path}: {problem}\n{hint}")


class OfflineError(PipelineError):
    """`DISTILLERY_OFFLINE=1` is set and something tried to leave this machine."""
