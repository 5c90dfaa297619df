"""The comparison table for readers: a page, Markdown, CSV, and a figure in SVG."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.evaluation.comparison import NOT_APPLICABLE, ComparisonRow
from pipeline.evaluation.reply_report import check_lines
from pipeline.reporting.comparison.figure import comparison_figure
from pipeline.reporting.comparison.page import comparison_page

Key = tuple[str, str, str, str]


def comparison_pages(
    rows: Sequence[ComparisonRow], figures: Mapping[str, Any]
) -> dict[str, Callable[[], str]]:
    """Return what makes `index.html`, `comparison.md`, `comparison.csv` and `comparison.svg`.

    `figures` are the measures of replies.
    """
    return {
        "index.html": lambda: comparison_page(
            rows, figures, figure=comparison_figure(rows), checks=check_lines(figures)
        ),
        "comparison.md": lambda: comparison_markdown(rows, figures),
        "comparison.csv": lambda: comparison_csv(rows),
        "comparison.svg": lambda: comparison_figure(rows),
    }


def comparison_markdown(rows: Sequence[ComparisonRow], figures: Mapping[str, Any]) -> str:
    """Return the tables of the page as Markdown."""
    return "\n".join(
        (
            "# Comparison of models\n",
            comparison_table(rows),
            "## Judges\n",
            judge_lines(figures["judges"]),
            "## Agreement between judges\n",
            agreement_table(figures["judge_agreement"]),
            "## Replies\n",
            reply_table(figures),
        )
    )


def comparison_table(rows: Sequence[ComparisonRow]) -> str:
    """Return a line per model, opponent, test set and judge; percentages with 95% intervals."""
    matched = {_key(row): row for row in rows if row.length_matched}
    lines = [
        "| model | opponent | test set | judge | n | win rate % (95% interval) "
        "| equal length: n | win rate % | at equal length, modelled % | ties % | no verdict % "
        "| position bias |",
        "|---|---|---|---|---:|---|---:|---|---|---:|---:|---|",
    ]
    for row in rows:
        if row.length_matched:
            continue
        same = matched[_key(row)]
        lines.append(
            f"| {row.model} | {row.opponent} | {row.test_set} | {row.judge} | {row.n} "
            f"| {rate(row.win_rate, row.ci)} | {same.n} | {rate(same.win_rate, same.ci)} "
            f"| {rate(row.length_controlled, row.length_controlled_ci)} "
            f"| {_percent(row.tie_share)} | {_percent(row.failed_share)} | {_bias(row)} |"
        )
    return "\n".join([*lines, ""])


def _key(row: ComparisonRow) -> Key:
    return row.model, row.opponent, row.test_set, row.judge


def rate(value: float | None, ci: Sequence[float] | None) -> str:
    """Return a share as a percentage with its interval; a dash where there is none."""
    if value is None:
        return "-"
    if ci is None:
        return f"{100 * value:.1f}"
    return f"{100 * value:.1f} ({100 * ci[0]:.1f} to {100 * ci[1]:.1f})"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _bias(row: ComparisonRow) -> str:
    if row.position_bias == NOT_APPLICABLE:
        return NOT_APPLICABLE
    return f"{100 * float(row.position_bias):.1f}%"


def judge_lines(judges: Mapping[str, str]) -> str:
    """Return a line per judge with what it learned from."""
    return "\n".join([*(f"- {name} learned from {what}." for name, what in judges.items()), ""])


def agreement_table(agreements: Sequence[dict[str, Any]]) -> str:
    """Return a line per two judges: Cohen's kappa over win, tie and loss, and equal verdicts."""
    lines = [
        "| judges | contests | kappa (95% interval) | equal verdicts % (95% interval) |",
        "|---|---:|---|---|",
    ]
    for one in agreements:
        kappa, ends = one["kappa"], one["kappa_ci"]
        interval = f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else ""
        shown = "undefined" if kappa is None else f"{kappa:.2f}{interval}"
        names = " and ".join(one["judges"])
        lines.append(f"| {names} | {one['n']} | {shown} | {rate(one['raw'], one['raw_ci'])} |")
    return "\n".join([*lines, ""])


def reply_table(figures: Mapping[str, Any]) -> str:
    """Return a line per model: text measures, MITI-style indices, critical findings."""
    lines = [
        "| model | replies | words | distinct-1 | distinct-2 | repetition | overlap "
        "| % complex reflections | reflections : questions | critical findings per 100 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in figures["models"].items():
        miti = one.get("miti_style", {})
        lines.append(
            f"| {name} | {one['replies']} | {one['words_mean']:.1f} | {_number(one['distinct_1'])} "
            f"| {_number(one['distinct_2'])} | {_number(one['repetition'])} "
            f"| {_number(one['overlap_with_utterance'])} "
            f"| {_number(miti.get('percent_complex'))} "
            f"| {_number(miti.get('reflections_per_question'))} "
            f"| {one['audit']['critical_per_100']:.1f} |"
        )
    lines += ["", *check_lines(figures)]
    return "\n".join([*lines, ""])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def comparison_csv(rows: Sequence[ComparisonRow]) -> str:
    """Return all rows as CSV; an interval is two columns, and what is unknown is empty."""
    stream = io.StringIO()
    flat = [_flat(row) for row in rows]
    writer = csv.DictWriter(stream, fieldnames=list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return stream.getvalue()


def _flat(row: ComparisonRow) -> dict[str, Any]:
    values = row.model_dump(mode="json")
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if name.endswith("ci"):
            flat[f"{name}_low"], flat[f"{name}_high"] = value or (None, None)
        else:
            flat[name] = value
    return flat
