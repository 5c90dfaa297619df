"""The comparison table as a figure: win rates with their intervals, one panel per test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pipeline.evaluation.comparison import ComparisonRow
from pipeline.pages import page_environment

TEMPLATES = Path(__file__).parent / "templates"
PANEL_WIDTH, GAP = 280, 24
LETTER = 7.5  # pixels, the widest that a name needs on average
TOP, BOTTOM, LINE, SPACE = 92, 44, 15, 10
MARKS = ("circle", "square", "diamond", "triangle")
TICKS = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class Mark:
    """One win rate at (x, y) with its interval from `low` to `high`, in pixels.

    `hollow` is that of contests of equal length alone; `title` says it in words.
    """

    shape: str
    judge: int
    x: float
    y: float
    low: float
    high: float
    hollow: bool
    title: str


@dataclass(frozen=True)
class Group:
    """All marks of one model and its opponent; `y` is where their name stands."""

    name: str
    y: float
    top: float
    height: float
    marks: list[Mark]


def comparison_figure(rows: Sequence[ComparisonRow]) -> str:
    """Return the figure as one SVG file, with a title and a description in words."""
    test_sets = list(dict.fromkeys(row.test_set for row in rows))
    judges = list(dict.fromkeys(row.judge for row in rows))
    names = 40 + LETTER * max(len(_name(row)) for row in rows)
    left = {one: names + at * (PANEL_WIDTH + GAP) for at, one in enumerate(test_sets)}
    groups, y = [], float(TOP)
    for name, found in groupby(rows, key=_name):
        group = _group(name, list(found), judges, left, y)
        groups.append(group)
        y += group.height
    shapes = {judge: MARKS[at % len(MARKS)] for at, judge in enumerate(judges)}
    return (
        page_environment(TEMPLATES)
        .get_template("figure.svg.j2")
        .render(
            groups=groups,
            panels=[
                {"name": one, "x": x, "ticks": [(tick, _x(x, tick / 100)) for tick in TICKS]}
                for one, x in left.items()
            ],
            judges=[
                {"name": one, "shape": shape, "number": at % len(MARKS), "x": 20 + 150 * at}
                for at, (one, shape) in enumerate(shapes.items())
            ],
            width=max(*(x + PANEL_WIDTH + GAP for x in left.values()), 20 + 150 * len(judges)),
            top=TOP,
            bottom=y,
            height=y + BOTTOM,
            description=describe(rows),
        )
    )


def _name(row: ComparisonRow) -> str:
    return f"{row.model} over {row.opponent}"


def _group(
    name: str, rows: list[ComparisonRow], judges: list[str], left: dict[str, float], top: float
) -> Group:
    marks = []
    for row in rows:
        if row.win_rate is None or row.ci is None:
            continue
        line = 2 * judges.index(row.judge) + row.length_matched
        x = left[row.test_set]
        marks.append(
            Mark(
                shape=MARKS[judges.index(row.judge) % len(MARKS)],
                judge=judges.index(row.judge) % len(MARKS),
                x=_x(x, row.win_rate),
                y=top + SPACE / 2 + (line + 0.5) * LINE,
                low=_x(x, row.ci[0]),
                high=_x(x, row.ci[1]),
                hollow=row.length_matched,
                title=_sentence(row),
            )
        )
    height = 2 * len(judges) * LINE + SPACE
    return Group(name, top + height / 2, top, height, marks)


def _x(left: float, share: float) -> float:
    return round(left + 12 + share * (PANEL_WIDTH - 24), 1)


def describe(rows: Sequence[ComparisonRow]) -> str:
    """Return the figure in words: one sentence per win rate over all contests."""
    return " ".join(_sentence(row) for row in rows if not row.length_matched)


def _sentence(row: ComparisonRow) -> str:
    who = f"{_name(row)}, {row.test_set}, by {row.judge}"
    if row.length_matched:
        who += ", equal length"
    if row.win_rate is None or row.ci is None:
        return f"{who}: no verdict."
    return (
        f"{who}: {100 * row.win_rate:.0f}% "
        f"({100 * row.ci[0]:.0f} to {100 * row.ci[1]:.0f}, n {row.n})."
    )
