"""The comparison as a page: what the table says first, then the figure, then all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.evaluation.comparison import NOT_APPLICABLE, ComparisonRow
from pipeline.pages import page_environment

TEMPLATES = Path(__file__).parent / "templates"


def comparison_page(
    rows: Sequence[ComparisonRow], figures: Mapping[str, Any], *, figure: str, checks: Sequence[str]
) -> str:
    """Return a self-contained page; `figure` is the table as SVG, of ours and escaped by itself.

    `figures` are the measures of replies, `checks` sentences on students beside their teachers.
    """
    from markupsafe import Markup

    environment = page_environment(TEMPLATES)
    environment.filters["percent"] = percent
    environment.globals["not_applicable"] = NOT_APPLICABLE
    same = {_key(row): row for row in rows if row.length_matched}
    return environment.get_template("comparison.html.j2").render(
        rows=[(row, same.get(_key(row))) for row in rows if not row.length_matched],
        judges=list(dict.fromkeys(row.judge for row in rows)),
        test_sets=list(dict.fromkeys(row.test_set for row in rows)),
        agreements=figures["judge_agreement"],
        models=figures["models"],
        worse=not all(one["no_worse"] for one in figures["critical_findings_per_100"].values()),
        checks=checks,
        figure=Markup(figure),  # noqa: S704
    )


def percent(value: float | None) -> str:
    """Return a share as a percentage, a dash where there is none."""
    return "–" if value is None else f"{100 * value:.1f}%"


def _key(row: ComparisonRow) -> tuple[str, str, str, str]:
    return row.model, row.opponent, row.test_set, row.judge
