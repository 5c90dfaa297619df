"""What a run has asked and spent, live, where a person watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.llm.transport import Count


def spent_line(count: Count, *, prices_known: bool = True) -> str:
    """Return calls, ledger hits, tokens and dollars on one line."""
    usd = f"{count.usd:.4f} USD" if prices_known else "price unknown"
    return f"{count.calls} calls, {count.cached} from the ledger, {count.tokens} tokens, {usd}"


@contextmanager
def live_count(count: Count, name: str, *, exchanges: int | None) -> Iterator[None]:
    """Show `count` while the block runs, with the projected cost of `exchanges` if known."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.live import Live

    def line() -> str:
        done = count.cached + count.answered
        text = f"{name}: {spent_line(count)}"
        if exchanges and done:
            text += f", projected {count.usd / done * max(exchanges, done):.4f} USD"
        return text

    with Live(console=Console(stderr=True), transient=True, get_renderable=line):
        yield
