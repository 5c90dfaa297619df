"""`distillery dag`: whether dvc.yaml is what the stages declare, or write it."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("dag")(dag)


def dag(
    *, write: Annotated[bool, typer.Option("--write", help="write dvc.yaml anew")] = False
) -> None:
    """Say whether dvc.yaml is what the stages declare; exit 2 and the line where it is not."""
    from pipeline.cli.console import say
    from pipeline.dag.dvc_yaml import FILE, check_dvc_yaml, write_dvc_yaml

    if not write:
        check_dvc_yaml()
        say(f"{FILE} is what the stages declare")
    elif write_dvc_yaml():
        say(f"{FILE} written")
    else:
        say(f"{FILE} is what the stages declare already")
