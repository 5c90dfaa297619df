"""`distillery accept`: take this build as the standard for the next ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.layout import path_of


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("accept")(accept)


def accept(
    expectations: Annotated[
        Path, typer.Option(help="figures of the build, as stage `expect` wrote them")
    ] = path_of("expectations"),
    out: Annotated[Path, typer.Option(help="where the standard is kept, in git")] = path_of(
        "accepted"
    ),
) -> None:
    """Compare later builds with this one: row counts, lengths, shares of classes."""
    from pipeline.cli.console import say
    from pipeline.validation.accept import accept_build

    accepted = accept_build(expectations, out)
    say(f"{out}: {len(accepted.tables)} tables of source {accepted.source} accepted")
