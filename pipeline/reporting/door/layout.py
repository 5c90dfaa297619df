"""Where the stages of the graph stand on the drawing: in layers, makers above users."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from pipeline.reporting.stage_graph import StageGraph

WIDTH, HEIGHT, GAP, RISE = 198.0, 46.0, 22.0, 40.0
PASSAGE = 14.0
SWEEPS = 8


@dataclass(frozen=True)
class Box:
    """A stage, by its upper left corner."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """Boxes and lines in units of the SVG's view box; a line is the `d` of a path."""

    width: float
    height: float
    boxes: list[Box]
    lines: list[str]


# A place in a layer: a stage, or the passage of an arrow (maker, user) through it.
Slot = str | tuple[str, str, int]


def draw(graph: StageGraph) -> Drawing:
    """Lay the graph out; the same graph is always drawn the same."""
    layer = _layers(graph)
    rows: list[list[Slot]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in graph.stages:
        rows[layer[name]].append(name)
    ways: list[list[Slot]] = []
    for maker, user in graph.arrows():
        passages: list[Slot] = [
            (maker, user, level) for level in range(layer[maker] + 1, layer[user])
        ]
        for level, slot in enumerate(passages, start=layer[maker] + 1):
            rows[level].append(slot)
        ways.append([maker, *passages, user])
    _untangle(rows, ways)
    middle, width = _columns(rows, ways)
    top = {slot: index * (HEIGHT + RISE) + 1 for index, row in enumerate(rows) for slot in row}
    boxes = [Box(name, middle[name] - WIDTH / 2, top[name]) for name in graph.stages]
    lines = [_line([(middle[slot], top[slot]) for slot in way]) for way in ways]
    return Drawing(width, len(rows) * (HEIGHT + RISE) - RISE + 2, boxes, lines)


def _layers(graph: StageGraph) -> dict[str, int]:
    """Return the length of the longest way to each stage."""
    layer: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in layer:
            layer[name] = 1 + max((depth(one) for one in sorted(graph.needs[name])), default=-1)
        return layer[name]

    for name in graph.stages:
        depth(name)
    return layer


def _untangle(rows: list[list[Slot]], ways: list[list[Slot]]) -> None:
    """Order each layer by the middle of its neighbours, down and up, so that few lines cross."""
    above: dict[Slot, list[Slot]] = {}
    below: dict[Slot, list[Slot]] = {}
    for way in ways:
        for upper, lower in pairwise(way):
            below.setdefault(upper, []).append(lower)
            above.setdefault(lower, []).append(upper)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for row in rows if down else reversed(rows):
            place = {slot: index for one in rows for index, slot in enumerate(one)}

            def middle(slot: Slot, place: dict[Slot, int] = place) -> float:
                found = [place[one] for one in neighbours.get(slot, ())]  # noqa: B023  used at once
                return sum(found) / len(found) if found else place[slot]

            row.sort(key=middle)


def _columns(rows: list[list[Slot]], ways: list[list[Slot]]) -> tuple[dict[Slot, float], float]:
    """Return the middle of each slot and the width of all; rows are centred."""
    size = {slot: WIDTH if isinstance(slot, str) else PASSAGE for row in rows for slot in row}
    widths = [sum(size[slot] for slot in row) + GAP * (len(row) - 1) for row in rows]
    width = max(widths, default=0)
    middle: dict[Slot, float] = {}
    for row, own in zip(rows, widths, strict=True):
        left = (width - own) / 2
        for slot in row:
            middle[slot] = left + size[slot] / 2
            left += size[slot] + GAP
    return middle, width


def _line(points: list[tuple[float, float]]) -> str:
    """Return a smooth path from under the first box to the top of the last."""
    (x, y), *rest = points
    path = f"M{x:.1f} {y + HEIGHT:.1f}"
    at = (x, y + HEIGHT)
    for index, (next_x, next_y) in enumerate(rest):
        bend = (at[1] + next_y) / 2
        path += f"C{at[0]:.1f} {bend:.1f} {next_x:.1f} {bend:.1f} {next_x:.1f} {next_y:.1f}"
        at = (next_x, next_y)
        if index < len(rest) - 1:
            path += f"V{next_y + HEIGHT:.1f}"
            at = (next_x, next_y + HEIGHT)
    return path
