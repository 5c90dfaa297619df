"""The `distillery` command: thin wrappers that read params.yaml, call and print.

Importing this costs next to nothing: each command imports what it needs when it runs.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import typer

from pipeline.cli import (
    accept,
    annotate,
    annotation_stages,
    audit,
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
    reward_stages,
    score,
    scoring_stages,
    stages,
    student_stages,
    student_use,
    study,
    tuning,
)
from pipeline.cli import doctor as doctor_command
from pipeline.cli import open as open_command
from pipeline.cli.refusals import refusals_explained
from pipeline.cli.stopped import noted

app = typer.Typer(
    name="distillery",
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
    study,
    accept,
    audit,
    annotate,
    score,
    reward,
    tuning,
    student_use,
    stages,
    scoring_stages,
    annotation_stages,
    student_stages,
    reward_stages,
):
    module.register(app)


def main() -> None:
    """Run the command line; a user's error is one message, not a traceback.

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
            app()
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
