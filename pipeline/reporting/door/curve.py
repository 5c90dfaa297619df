"""A learning curve as lines of a drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

WIDTH, HEIGHT = 640.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 28.0, 14.0, 38.0
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


class Measured(Protocol):
    """A share with its limits, in percent: value, low, high."""

    @property
    def at(self) -> tuple[float, float, float]:
        """Value, low and high."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """One model: its line, and its interval as a band."""

    name: str
    number: int
    line: str
    band: str
    dots: list[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """All lines of one data set, with both axes."""

    width: float
    height: float
    floor: float
    left: float
    right: float
    across: list[Tick]
    up: list[Tick]
    lines: list[Line]


def curve(series: dict[str, list[tuple[float, Measured]]]) -> Curve | None:
    """Draw accuracy in percent over the share of labels (0 to 1, on a logarithmic axis).

    None where there are fewer than two shares: that is no curve.
    """
    shares = sorted({share for points in series.values() for share, _ in points if share > 0})
    if len(shares) < 2:
        return None
    limits = [each for points in series.values() for _, one in points for each in one.at]
    step = next(one for one in STEPS if (max(limits) - min(limits)) / 100 <= 7 * one) * 100
    low, high = math.floor(min(limits) / step) * step, math.ceil(max(limits) / step) * step
    high = max(high, low + step)
    floor = HEIGHT - BOTTOM

    def x(share: float) -> float:
        span = math.log(shares[-1] / shares[0])
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(share / shares[0]) / span

    def y(percent: float) -> float:
        return TOP + (floor - TOP) * (high - percent) / (high - low)

    lines = []
    for number, (name, points) in enumerate(series.items()):
        ordered = sorted((share, one.at) for share, one in points if share > 0)
        dots = [(x(share), y(at[0])) for share, at in ordered]
        lower = [(x(share), y(at[1])) for share, at in ordered]
        upper = [(x(share), y(at[2])) for share, at in ordered]
        band = _path([*upper, *reversed(lower)]) + "Z"
        lines.append(Line(name, number, _path(dots), band, dots))
    marks = range(round((high - low) / step) + 1)
    return Curve(
        WIDTH,
        HEIGHT,
        floor,
        LEFT,
        WIDTH - RIGHT,
        [Tick(x(share), f"{100 * share:g}%") for share in shares],
        [Tick(y(low + step * mark), f"{low + step * mark:g}%") for mark in marks],
        lines,
    )


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
