"""Quantiles of whole numbers, as lengths in words: each is a number that occurs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

PERCENTILES = (0, 10, 50, 90, 100)


def quantiles(counts: Mapping[int, int]) -> dict[str, int]:
    """Return p0, p10, p50, p90 and p100 of values that occur `counts[value]` times; 0 of none.

    A percentile is the smallest value that so many percent do not exceed.
    """
    values = sorted(counts)
    up_to = list(accumulate(counts[value] for value in values))
    total = sum(counts.values())
    return {
        f"p{percent}": next(
            (
                value
                for value, rows in zip(values, up_to, strict=True)
                if rows >= max(1, -(-total * percent // 100))
            ),
            0,
        )
        for percent in PERCENTILES
    }
