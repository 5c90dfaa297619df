"""Responses with what they answer."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from pipeline.records import Exchange, Response
from pipeline.storage import read_table


def read_pairs(exchanges: Path, responses: Path) -> list[tuple[Exchange, Response]]:
    """Return each response with its exchange, in file order."""
    by_id = {exchange.id: exchange for exchange in read_table(exchanges, Exchange)}
    grouped = groupby(read_table(responses, Response), key=lambda one: one.exchange_id)
    return [(by_id[name], response) for name, group in grouped for response in group]
