"""The counts of a build's corpora as a table, for the terminal and for documents."""

from __future__ import annotations

from typing import Any


def counts_table(counts: dict[str, Any]) -> list[str]:
    """Return the counts of a `corpora.json` as the lines of a Markdown table."""
    splits = counts["splits"]
    lines = [
        f"{counts['source']}: {splits['train']:,} train / {splits['test']:,} test exchanges"
        f" (rule `{splits['rule']}`)",
        "",
        "| corpus | SFT source rows | SFT examples | strict pairs | authors' pairs"
        " | of these inverted | tied |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, by_filter in counts["corpora"].items():
        strict, authors = by_filter["strict"], by_filter["authors"]
        figures = (
            strict["sft_source_rows"],
            strict["sft_examples"],
            strict["pairs"],
            authors["pairs"],
            authors["inverted"],
            authors["tied"],
        )
        lines.append(f"| {name} | {' | '.join(f'{figure:,}' for figure in figures)} |")
    return lines
