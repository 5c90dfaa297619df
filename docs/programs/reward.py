"""The study `reward` in a few tables and lines, for docs/reward.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.storage import read_json

STUDY = Path("reports/studies/reward")


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
        lines.append(
            f"Prototypes are significantly {word} than linear: {', '.join(cells) or 'nowhere'}."
        )
    return "\n".join([*lines, "", ""])


def mismatch_line(folder: Path = STUDY) -> str:
    """Return in words what the label is worth to the published recipe."""
    found = read_json(folder / "mismatch.json")
    used, told = found["as it is used"], found["as it is trained, the label told"]
    added = found["what the label adds"]
    low, high = added["ci"]
    return (
        f"\nThe published recipe, taught with {100 * found['fraction']:g}% of the pairs, prefers "
        f"{100 * used['accuracy']:.1f}% of the test pairs as people do; told the label, as it is "
        f"in training, {100 * told['accuracy']:.1f}% ({100 * added['accuracy']:+.1f} points; "
        f"{100 * low:+.1f} to {100 * high:+.1f}).\n\n"
    )


def best_of_table(folder: Path = STUDY) -> str:
    """Return how the reward's pick of eight samples does against a random one, by judge."""
    found = read_json(folder / "best_of.json")
    lines = [
        "",
        f"The {found['model']} model, taught on {found['taught_pairs']:,} pairs, picks one of "
        f"{found['samples'] // found['dialogues']} samples of a student for each of "
        f"{found['dialogues']} dialogues; a random pick is drawn {found['draws_at_random']} times. "
        f"Picks have {found['words']['picked']} words, all samples {found['words']['all']}.",
        "",
        "| judge | win rate of the pick, % (95% interval) | of like length |",
        "|---|---:|---:|",
    ]
    for judge, rates in found["judges"].items():
        cells = (_rate(rates[key]) for key in ("win_rate", "win_rate_of_like_length"))
        lines.append(f"| {judge} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", ""])


def _rate(found: dict[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return "none"
    low, high = found["ci"]
    return f"{100 * found['value']:.1f} ({100 * low:.1f} to {100 * high:.1f})"
