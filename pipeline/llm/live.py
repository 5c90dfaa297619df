"""What a run has asked and spent, live, where a person watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.llm.role import Role
from pipeline.llm.transport import Count


def spent_line(count: Count, role: Role, *, done: int = 0, total: int = 0) -> str:
    """Return calls, ledger hits, tokens and dollars on one line.

    With `done` of `total` rows finished, also what all of them will have cost at this rate.
    """
    line = f"{count.calls} calls, {count.cached} from the ledger, {count.tokens} tokens"
    if role.prices is None:
        return f"{line}, price unknown"
    line += f", {count.usd:.4f} USD"
    if 0 < done < total:
        line += f", projected {count.usd / done * total:.4f} USD"
    return line


class Progress:
    """How many rows are done, of how many."""

    def __init__(self, total: int) -> None:
        self.done = 0
        self.total = total


@contextmanager
def live_count(count: Count, role: Role, name: str, total: int) -> Iterator[Progress]:
    """Show `count` on a terminal while the block runs; the block says how many rows are done."""
    progress = Progress(total)
    if not sys.stderr.isatty():
        yield progress
        return
    from rich.console import Console
    from rich.live import Live

    def line() -> str:
        spent = spent_line(count, role, done=progress.done, total=total)
        return f"{name}: {progress.done} of {total}: {spent}"

    with Live(console=Console(stderr=True), transient=True, get_renderable=line):
        yield progress
