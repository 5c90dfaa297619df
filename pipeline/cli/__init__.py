"""The `distillery` command: thin wrappers that read params.yaml, call and print.

Importing this costs next to nothing: each command imports what it needs when it runs.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from pipeline.cli import (
    accept,
    annotate,
    audit,
    dag,
    diff,
    explain,
    export,
    fetch,
    init,
    ledger,
    migrate,
    plan,
    preview,
    repro,
    reward,
    score,
    student_use,
    tuning,
)
from pipeline.cli import doctor as doctor_command
from pipeline.cli import open as open_command
from pipeline.cli.refusals import refusals_explained
from pipeline.cli.stopped import noted


class _WithStages(TyperGroup):
    """Knows the stages of dvc.yaml, too; they are read when one is run, and no help lists them."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        if command is None and cmd_name.isidentifier():
            from pipeline.dag.command import find_stage

            return find_stage(cmd_name)
        return command


app = typer.Typer(
    name="distillery",
    cls=_WithStages,
    help="Build, audit and distil empathetic-dialogue corpora.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (
    repro,
    fetch,
    init,
    migrate,
    doctor_command,
    open_command,
    plan,
    preview,
    ledger,
    explain,
    export,
    diff,
    accept,
    audit,
    annotate,
    dag,
    score,
    reward,
    tuning,
    student_use,
):
    module.register(app)


def main(commands: typer.Typer = app) -> None:
    """Run a command line; a user's error is one message, not a traceback.

    Exit codes: 0 ok, 1 a gate said no, 2 wrong input or usage, 130 interrupted.
    """
    from pipeline.errors import PipelineError

    if isinstance(sys.stdout, io.TextIOWrapper):  # it may be of another encoding than UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if os.environ.get("DISTILLERY_OFFLINE") == "1":
        from pipeline.cli.offline import forbid_connections

        forbid_connections()
    try:
        with noted(), refusals_explained():
            commands()
    except PipelineError as error:
        from pipeline.pages import printable

        # It may quote an endpoint or a file: no control character of theirs reaches a terminal.
        sys.stderr.write(printable(f"error: {error}").replace("\r", "⟨U+000D⟩") + "\n")
        if status := os.environ.get("DISTILLERY_STATUS_FILE"):  # DVC hides a stage's exit code
            Path(status).write_text(str(error.exit_code))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: finished files are whole, unfinished ones were not kept\n")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
