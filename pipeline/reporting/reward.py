"""The learning curves of reward models as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

COLOURS = ("#1b6ca8", "#c2410c", "#4d7c0f", "#7e22ce", "#64748b", "#0f766e")
WIDTH, HEIGHT = 780, 360
LEFT, RIGHT, TOP, BOTTOM = 56, 215, 30, 46


def curve_svg(rows: Sequence[dict[str, Any]]) -> str:
    """Return accuracy by fraction of labels, a line per model with its interval, as one SVG."""
    fractions = sorted({row["fraction"] for row in rows})
    models = list(dict.fromkeys(row["model"] for row in rows))
    low = min(float(row["ci"][0]) for row in rows)
    high = max(float(row["ci"][1]) for row in rows)
    step = (WIDTH - LEFT - RIGHT) / max(len(fractions) - 1, 1)
    across = {one: LEFT + number * step for number, one in enumerate(fractions)}

    def down(value: float) -> float:
        return TOP + (high - value) / max(high - low, 1e-9) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        "<title>Accuracy on held-out pairs by share of labels</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="18" font-weight="600">{escape(str(rows[0]["data"]))}: accuracy on '
        "held-out pairs, %</text>",
    ]
    for number in range(5):
        value = low + (high - low) * number / 4
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down(value):.1f}" y2="{down(value):.1f}" '
            f'stroke="#e2e8f0"/><text x="{LEFT - 8}" y="{down(value) + 4:.1f}" text-anchor="end">'
            f"{100 * value:.1f}</text>"
        )
    for one in fractions:
        parts.append(
            f'<text x="{across[one]:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
            f"{100 * one:g}%</text>"
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
        "of the labelled pairs</text>"
    )
    for number, model in enumerate(models):
        parts += _line(number, len(models), model, rows, across, down)
    return "\n".join([*parts, "</svg>", ""])


def _line(
    number: int,
    count: int,
    model: str,
    rows: Sequence[dict[str, Any]],
    across: dict[float, float],
    down: Any,
) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    own = [row for row in rows if row["model"] == model]
    # Models of one fraction stand side by side, so that no interval hides another.
    aside = 4 * (number - (count - 1) / 2)
    points = [(across[row["fraction"]] + aside, down(row["accuracy"]), row) for row in own]
    found = [
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
        + " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        + '"/>'
    ]
    for x, y, row in points:
        top, end = down(row["ci"][1]), down(row["ci"][0])
        found.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{end:.1f}" stroke="{colour}" '
            f'stroke-opacity="0.4"/><circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
        )
    height = TOP + 16 + 20 * number
    found.append(
        f'<circle cx="{WIDTH - RIGHT + 20}" cy="{height - 4}" r="4" fill="{colour}"/>'
        f'<text x="{WIDTH - RIGHT + 30}" y="{height}">{escape(model)}</text>'
    )
    return found
