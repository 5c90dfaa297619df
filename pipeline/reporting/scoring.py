"""The study `scoring` in a few lines, for the README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.storage import read_json

STUDY = Path("reports/studies/scoring")


def scoring_table(folder: Path = STUDY) -> str:
    """Return the published figures, the honest ones and the chosen scorers as a Markdown table."""
    published = read_json(folder / "published.json")
    honest = read_json(folder / "honest.json")
    chosen = read_json(folder / "comparisons.json")["targets"]
    best = max(_of(published, "accuracy"), key=lambda row: row["mean"])
    lines = [
        "",
        "| features | model | protocol | accuracy % (95% interval) | QWK |",
        "|---|---|---|---|---:|",
        _line(published, "15V2+MITI", "LR", "published"),
        _line(published, best["features"], best["model"], "published, best of 30 on the test part"),
        *(
            _line(honest, features, model, "honest")
            for features, model in (
                ("none", "majority"),
                ("type", "LR"),
                ("length", "LR"),
                ("15V2+MITI", "LR"),
                ("15V2+MITI", "LR, nested RFE"),
            )
        ),
        *(
            _line(honest, one["features"], one["model"], f"honest; chosen {name}")
            for name, one in chosen.items()
        ),
        "",
        "",
    ]
    return "\n".join(lines)


def _of(rows: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["metric"] == metric]


def _line(rows: list[dict[str, Any]], features: str, model: str, protocol: str) -> str:
    found = {
        row["metric"]: row for row in rows if (row["features"], row["model"]) == (features, model)
    }
    right, kappa = found["accuracy"], found["qwk"]
    low, high = right["ci"]
    return (
        f"| {features} | {model} | {protocol} | {100 * right['mean']:.2f} "
        f"({100 * low:.1f} to {100 * high:.1f}) | {kappa['mean']:.2f} |"
    )
