"""The learning curves of reward models: a figure, and a table for documents."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from pipeline.storage import read_json

STUDY = Path("reports/studies/reward")
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


def curve_table(data: str, folder: Path = STUDY, file: str = "curve.json") -> str:
    """Return the study's curve on `data` as Markdown: a row per model, a column per fraction."""
    rows = [row for row in read_json(folder / file) if row["data"] == data]
    fractions = sorted({row["fraction"] for row in rows})
    lines = [
        "",
        "| model | " + " | ".join(f"{100 * one:g}%" for one in fractions) + " |",
        "|---|" + "---|" * len(fractions),
    ]
    for model in dict.fromkeys(row["model"] for row in rows):
        own = {row["fraction"]: row for row in rows if row["model"] == model}
        cells = [_cell(own[one]) if one in own else "" for one in fractions]
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", ""])


def _cell(row: dict[str, Any]) -> str:
    shown = f"{100 * row['accuracy']:.1f}"
    if "paired_ci" not in row:
        low, high = row["ci"]
        return f"{shown} ({100 * low:.1f} to {100 * high:.1f})"
    low, high = row["paired_ci"]
    return f"{shown} ({100 * row['paired_difference']:+.1f}; {100 * low:+.1f} to {100 * high:+.1f})"


def target_lines(folder: Path = STUDY) -> str:
    """Return in words whether prototypes beat the linear head as was hoped."""
    found = read_json(folder / "target.json")
    verdict = "reached" if found["reached_with_few"] and not found["worse_at_full"] else "missed"
    lines = ["", f"Target: {found['target']}: **{verdict}**, after {found['searched']} trials.", ""]
    for name, word in (("significantly_better", "better"), ("significantly_worse", "worse")):
        cells = [
            f"{one['data']} at {100 * one['fraction']:g}% "
            f"({100 * one['paired_difference']:+.1f} points)"
            for one in found[name]
        ]
        lines.append(f"Significantly {word} than linear: {', '.join(cells) or 'nowhere'}.")
    return "\n".join([*lines, "", ""])


def mismatch_line(folder: Path = STUDY) -> str:
    """Return in words what the label is worth to the published recipe."""
    found = read_json(folder / "mismatch.json")
    if not found:
        return "\nNot measured yet: `distillery study reward --data DIR`.\n\n"
    used, told = found["as it is used"], found["as it is trained, the label told"]
    added = found["what the label adds"]
    low, high = added["ci"]
    return (
        f"\nThe published recipe, taught with {100 * found['fraction']:g}% of the pairs, prefers "
        f"{100 * used['accuracy']:.1f}% of the test pairs as people do; told the label, as it is "
        f"in training, {100 * told['accuracy']:.1f}% ({100 * added['accuracy']:+.1f} points; "
        f"{100 * low:+.1f} to {100 * high:+.1f}).\n\n"
    )
