"""The generated part of annotations/imports.md, filled in by cog."""

from __future__ import annotations

from pathlib import Path

from pipeline.storage import read_json

COUNTS = Path("reports/studies/annotation_imports/labels.json")


def distributions() -> str:
    """Return how often each label occurs, by corpus and question, as Markdown tables."""
    lines = [""]
    for corpus, questions in read_json(COUNTS).items():
        for question, counts in questions.items():
            lines += [f"`{corpus}`, question `{question}`:", "", "| label | count |", "|---|---:|"]
            lines += [f"| {label} | {count:,} |" for label, count in counts.items()]
            lines.append("")
    return "\n".join(lines) + "\n"
