"""`distillery diff`: what changed in the corpora between two git revisions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("diff")(diff)


def diff(
    rev_a: Annotated[str, typer.Argument(help="the revision before: a commit, branch or tag")],
    rev_b: Annotated[
        str | None, typer.Argument(help="the revision after; left out: the working tree")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="also write it as a page, to this .html file")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="print all of it, with every row's id")
    ] = False,
) -> None:
    """Compare the corpora of two revisions: rows and reasons, distributions, gates, audit."""
    from pipeline.cli.console import note, say, say_json
    from pipeline.pages import write_page
    from pipeline.reporting.revisions.difference import compare
    from pipeline.reporting.revisions.page import page_html
    from pipeline.reporting.revisions.revision import open_revision
    from pipeline.reporting.revisions.text import text_lines

    root = Path.cwd()
    difference = compare(open_revision(root, rev_a), open_revision(root, rev_b))
    if page is not None:
        write_page(page, page_html(difference))
        note(f"page: {page}")
    if as_json:
        say_json(difference.as_dict())
        return
    for line in text_lines(difference):
        say(line)
