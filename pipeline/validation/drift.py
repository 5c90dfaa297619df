"""Whether this build is like the last one that a person accepted.

A profile is a table in a few figures; the suite asks whether today's figures are within the
tolerances of the accepted ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from pipeline.config import Section
from pipeline.validation.suites import Suite, expect

if TYPE_CHECKING:
    from pandas import DataFrame

QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


class Tolerances(Section):
    """How far a build may be from the accepted one.

    `rows` and `words` are relative (0.1 is 10%, and a length may always differ by one word);
    `share` is absolute (0.05 is five percentage points). Tables with fewer than `least_rows` rows
    are not compared: what differs there is chance.
    """

    least_rows: int = Field(ge=0)
    rows: float = Field(ge=0)
    share: float = Field(ge=0, le=1)
    words: float = Field(ge=0)


class Profile(Section):
    """One table in figures: `words` by quantile, `shares` by column and value, from 0 to 1."""

    rows: int
    words: dict[str, int] = Field(default_factory=dict)
    shares: dict[str, dict[str, float]] = Field(default_factory=dict)


class Accepted(Section):
    """The figures of the last accepted build of `source`, by table."""

    source: str | None = None
    tables: dict[str, Profile] = Field(default_factory=dict)


def profile(frame: DataFrame, share_columns: Sequence[str]) -> Profile:
    """Return the figures of one table; a share counts the rows that have a value."""
    words = {}
    if "words" in frame and len(frame):
        found = frame["words"].quantile(list(QUANTILES.values()), interpolation="nearest")
        words = dict(zip(QUANTILES, map(int, found), strict=True))
    shares = {}
    for column in share_columns:
        counted = frame[column].dropna().map(str).value_counts(normalize=True)
        if len(counted):
            shares[column] = {
                str(value): round(float(share), 6) for value, share in sorted(counted.items())
            }
    return Profile(rows=len(frame), words=words, shares=shares)


def add_share_columns(frame: DataFrame, now: Profile, accepted: Profile) -> None:
    """Add a column of 0 and 1 for each value whose share is compared."""
    for column, value in _values(now, accepted):
        present = frame[column].notna()
        frame[_share_name(column, value)] = (
            (frame[column].map(str) == value).astype(float).where(present)
        )


def drift_suite(now: Profile, accepted: Profile, tolerances: Tolerances) -> Suite:
    """Return the checks of `now` against `accepted`; the frame must have the share columns."""
    low, high = _around(accepted.rows, tolerances.rows)
    suite = [
        expect(
            "TableRowCountToBeBetween",
            f"about as many rows as accepted ({low} to {high})",
            min_value=low,
            max_value=high,
        )
    ]
    if accepted.words and now.words:
        ranges = [_around(accepted.words[name], tolerances.words, least=1) for name in QUANTILES]
        spelled = ", ".join(
            f"{name} {low}-{high}" for name, (low, high) in zip(QUANTILES, ranges, strict=True)
        )
        suite.append(
            expect(
                "ColumnQuantileValuesToBeBetween",
                f"lengths in words are about as accepted ({spelled})",
                column="words",
                quantile_ranges={
                    "quantiles": list(QUANTILES.values()),
                    "value_ranges": [list(one) for one in ranges],
                },
            )
        )
    for column, value in _values(now, accepted):
        share = accepted.shares[column].get(value, 0.0)
        bounds = max(0.0, share - tolerances.share), min(1.0, share + tolerances.share)
        suite.append(
            expect(
                "ColumnMeanToBeBetween",
                f"share of {column} {value} is about as accepted "
                f"({bounds[0]:.3f} to {bounds[1]:.3f})",
                column=_share_name(column, value),
                min_value=round(bounds[0], 6),
                max_value=round(bounds[1], 6),
            )
        )
    return suite


def _values(now: Profile, accepted: Profile) -> list[tuple[str, str]]:
    return [
        (column, value)
        for column in accepted.shares
        if column in now.shares
        for value in sorted({*accepted.shares[column], *now.shares[column]})
    ]


def _share_name(column: str, value: str) -> str:
    return f"{column} is {value}"


def _around(value: int, tolerance: float, *, least: int = 0) -> tuple[int, int]:
    reach = max(int(value * tolerance), least)
    return max(0, value - reach), value + reach
