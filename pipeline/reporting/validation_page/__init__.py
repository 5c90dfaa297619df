"""The validation report for people: one page that opens from disk.

Great Expectations' own Data Docs are a folder of pages that load style, script and a logo from
some 15 addresses; this is the same content as one page that loads nothing.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.pages import page_environment
from pipeline.validation.run import BuildReport

TEMPLATES = Path(__file__).parent / "templates"


def validation_html(report: BuildReport) -> str:
    """Return the page; it may hold text of the data and does not belong in git."""
    failed = {
        severity: sum(len(table.failed(severity)) for table in report.tables)
        for severity in ("critical", "warning", "info")
    }
    return (
        page_environment(TEMPLATES)
        .get_template("validation.html.j2")
        .render(
            reports=report.tables,
            source=report.source,
            compared=report.compared,
            failed=failed,
            expectations=sum(len(table.checks) for table in report.tables),
            rows=sum(table.rows for table in report.tables),
        )
    )
