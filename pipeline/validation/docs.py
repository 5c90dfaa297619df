"""The validation report for people: one page that opens from disk.

Great Expectations' own Data Docs are a folder of pages that load style, script and a logo from
some 15 addresses; this is the same content as one page that loads nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.pages import page_environment, write_page
from pipeline.validation.run import TableReport

TEMPLATES = Path(__file__).parent / "templates"


def write_docs(path: Path, reports: Sequence[TableReport], *, source: str, compared: bool) -> None:
    """Write the page; it may hold text of the data and does not belong in git."""
    failed = {
        severity: sum(len(report.failed(severity)) for report in reports)
        for severity in ("critical", "warning", "info")
    }
    template = page_environment(TEMPLATES).get_template("validation.html.j2")
    write_page(
        path,
        template.render(
            reports=reports,
            source=source,
            compared=compared,
            failed=failed,
            expectations=sum(len(report.checks) for report in reports),
            rows=sum(report.rows for report in reports),
        ),
    )
