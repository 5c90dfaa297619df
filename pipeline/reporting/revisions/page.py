"""The difference as a page."""

from __future__ import annotations

from pathlib import Path

from pipeline.pages import page_environment
from pipeline.reporting.revisions.difference import Difference, reasons
from pipeline.reporting.revisions.text import SHOWN_SHIFTS, headline, signed

TEMPLATES = Path(__file__).parent / "templates"
SHOWN_ROWS = 25


def page_html(difference: Difference) -> str:
    """Return a self-contained page that says what changed, first things first."""
    environment = page_environment(TEMPLATES)
    environment.globals.update(
        reasons=reasons, signed=signed, shown_rows=SHOWN_ROWS, shown_shifts=SHOWN_SHIFTS
    )
    changed = [one for one in difference.tables if not one.is_same]
    state = "warning" if difference.worse else "info" if changed else "good"
    return environment.get_template("diff.html.j2").render(
        diff=difference,
        changed=changed,
        headline=headline(difference),
        state=state,
    )
