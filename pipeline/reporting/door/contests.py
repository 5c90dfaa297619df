"""Shares with their intervals, and contests as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.reporting.facts import Fact, number


@dataclass(frozen=True)
class Interval:
    """A share with its interval, as a line of a drawing from 0 to 100."""

    value: Fact
    low: Fact
    high: Fact

    @property
    def at(self) -> tuple[float, float, float]:
        """Value, low and high in percent."""
        return (100 * number(self.value), 100 * number(self.low), 100 * number(self.high))


def interval(row: Fact, value: str, ci: str = "ci") -> Interval | None:
    """Return what stands at `value` with the limits at `ci`; None where either is missing."""
    limits = list(row[ci]) if row[ci].raw else []
    if row[value].raw is None or len(limits) != 2:
        return None
    return Interval(row[value], *limits)


@dataclass(frozen=True)
class Rate:
    """One row of an evaluation, and its win rate, None where nothing has a verdict."""

    row: Fact
    won: Interval | None


@dataclass(frozen=True)
class Meeting:
    """A model and its opponent before one judge on one test set; `named` says who and where.

    `every` are all their contests, `same` those of replies of equal length alone.
    """

    named: Fact
    every: Rate | None
    same: Rate | None


def meetings(rows: Iterable[Fact]) -> list[Meeting]:
    """Put rows of contests of equal length beside those of all contests."""
    keys = ("model", "opponent", "judge", "test_set")
    found: dict[tuple[str, ...], dict[bool, Rate]] = {}
    for row in rows:
        at = found.setdefault(tuple(str(row[key].raw) for key in keys), {})
        at[bool(row["length_matched"].raw)] = Rate(row, interval(row, "win_rate"))
    return [
        Meeting(next(iter(one.values())).row, one.get(False), one.get(True))
        for one in found.values()
    ]
