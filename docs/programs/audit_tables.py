"""The generated parts of docs/audit.md: what is looked for, and what was found in public data."""

from __future__ import annotations

from pathlib import Path

from pipeline.audit.detectors import BUILT_IN
from pipeline.storage import read_json

STUDY = Path("reports/studies/audit")


def detectors() -> str:
    """Return a table of all detectors: family, name, and what each says that it does."""
    lines = ["| family | detector | what it does |", "|---|---|---|"]
    for name, detector in BUILT_IN.items():
        said = (detector.detect.__doc__ or "").strip().splitlines()[0]
        lines.append(f"| {detector.family} | `{name}` | {said} |")
    return "\n".join(lines)


def precision() -> str:
    """Return precision per detector on the findings of the held-out half that were judged."""
    lines = [
        "| detector | found | judged | right | precision | fresh | right of the fresh |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in read_json(STUDY / "precision.json").items():
        judged = "all" if one["judged"] == one["reported_in_this_half"] else one["judged"]
        lines.append(
            f"| `{name}` | {one['reported_in_this_half']} | {judged} | {one['right']} | "
            f"{one['precision']:.2f} | {one['fresh']} | {one['fresh_right']} |"
        )
    return "\n".join(lines)


def findings() -> str:
    """Return the number of findings per detector and public data set; `-` where it was skipped."""
    table = read_json(STUDY / "findings.json")
    lines = [
        "| detector | " + " | ".join(table) + " |",
        "|---|" + "---:|" * len(table),
    ]
    for name in BUILT_IN:
        cells = []
        for source in table.values():
            entry = source["detectors"][name]
            counts = sum(entry["counts"].values())
            cells.append("-" if entry["status"] == "skipped" else str(counts))
        if set(cells) != {"-"}:
            lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)
