"""Exchanges with their responses and their split, joined as they stream by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pipeline.errors import TableError
from pipeline.records import Exchange, Response, SplitAssignment, SplitName
from pipeline.storage import RERUN, read_table


@dataclass(frozen=True)
class Candidate:
    """One exchange of the asked-for split; `responses` by responder."""

    exchange: Exchange
    responses: dict[str, Response]


def read_candidates(
    exchanges: Path, responses: Path, splits: Path, *, split: SplitName = "train"
) -> Iterator[Candidate]:
    """Yield the exchanges of `split` in file order, each with its responses.

    All three tables hold exchanges in the same order (`responses` may leave some out), so the join
    needs no index and no memory. Raises TableError where they do not fit together.
    """
    answered = groupby(read_table(responses, Response), key=lambda one: one.exchange_id)
    waiting = next(answered, None)
    assignments = read_table(splits, SplitAssignment)
    for exchange in read_table(exchanges, Exchange):
        assignment = next(assignments, None)
        if assignment is None or assignment.exchange_id != exchange.id:
            raise TableError(
                splits, f"does not belong to {exchanges}: {exchange.id} is not next", hint=RERUN
            )
        found: dict[str, Response] = {}
        if waiting is not None and waiting[0] == exchange.id:
            found = {response.responder: response for response in waiting[1]}
            waiting = next(answered, None)
        if assignment.split == split:
            yield Candidate(exchange, found)
    if (left := next(assignments, None)) is not None:
        raise TableError(
            splits, f"does not belong to {exchanges}: {left.exchange_id} is not there", hint=RERUN
        )
    if waiting is not None:
        raise TableError(
            responses, f"answers {waiting[0]}, which is not next in {exchanges}", hint=RERUN
        )
