"""`distillery audit diff` and `distillery audit apply`: what changed, and a cleaned copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RULE = "DETECTOR, DETECTOR:SEVERITY, severity=SEVERITY or row=ID; may be repeated"


def diff(
    old: Annotated[Path, typer.Argument(help="folder of the earlier audit")],
    new: Annotated[Path, typer.Argument(help="folder of the later audit")],
    as_json: Annotated[bool, typer.Option("--json", help="print the changes as JSON")] = False,
) -> None:
    """Show what got better or worse from OLD to NEW, detector by detector."""
    from pipeline.audit.comparing import compare
    from pipeline.cli.console import say, say_json

    changes = compare(old, new)
    if as_json:
        say_json({change.detector: change.as_dict() for change in changes})
        return
    told = [change for change in changes if change.verdict != "same"]
    for change in told:
        counts = ", ".join(
            f"{severity} {change.old[severity]} -> {change.new[severity]}"
            for severity in change.old
            if change.old[severity] or change.new[severity]
        )
        say(f"{change.detector:24}{change.verdict:14}{change.why or counts}".rstrip())
        say(f"{'':24}{len(change.gone)} gone, {len(change.came)} came")
    say(f"{len(changes) - len(told)} of {len(changes)} detectors say the same")


def apply(
    file: Annotated[Path, typer.Argument(help="the audited file or Hugging Face folder")],
    audit: Annotated[Path, typer.Option(help="folder that the audit of FILE wrote")],
    out: Annotated[Path, typer.Option(help="folder for the copy and the rejections")],
    drop: Annotated[list[str] | None, typer.Option(help=f"findings to act on: {RULE}")] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help=f"rows to keep all the same: {RULE}")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the counts as JSON")] = False,
) -> None:
    """Write a copy of FILE without the rows that --drop names; FILE stays as it is."""
    from pipeline.audit.applying import Rule, apply_findings
    from pipeline.cli.console import say, say_json

    done = apply_findings(
        file,
        audit,
        out,
        drop=[Rule.parse(text) for text in drop or []],
        keep=[Rule.parse(text) for text in keep or []],
    )
    if as_json:
        paths = {"copy": str(done.copy), "rejections": str(done.rejections)}
        say_json({"kept": done.kept, "dropped": done.dropped, **paths})
    else:
        say(f"{done.copy}: {done.kept} rows")
        say(f"{done.rejections}: {done.dropped} dropped rows, each with its reason")
