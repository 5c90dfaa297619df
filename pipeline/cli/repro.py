"""`distillery repro`: build the corpora of another source in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# What each `--until` runs. `report` stops short of everything that learns from the corpora.
TARGETS = {
    "build_preferences": ["build_preferences", "count_corpora", "describe_corpora"],
    "report": ["count_corpora", "describe_corpora", "validate", "audit"],
}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("repro")(repro)


def repro(
    source: Annotated[str, typer.Option(help="which source; `distillery fetch` lists them")],
    out: Annotated[Path, typer.Option(help="folder of the build, new or of an earlier one")],
    path: Annotated[
        Path | None, typer.Option(help="local copy of the raw file; else the fetched one")
    ] = None,
    distil: Annotated[
        bool, typer.Option("--distil", help="also methods 2 and 3: llm.teacher is asked")
    ] = False,
    until: Annotated[str, typer.Option(help="last stage to run")] = "build_preferences",
    as_json: Annotated[bool, typer.Option("--json", help="print the counts as JSON")] = False,
) -> None:
    """Build the corpora of SOURCE in OUT, a DVC workspace of its own.

    The working tree stays as it is. The counts are left in OUT/reports/metrics/corpora.json, the
    page to open first in OUT/reports/index.html; `--until report` adds gates and audit to it.
    """
    from pipeline.cli.console import note, say, say_json
    from pipeline.cli.fetch import fetched_file
    from pipeline.errors import GateFailedError, PipelineError
    from pipeline.params import load_params
    from pipeline.reporting.counts import counts_table
    from pipeline.sources import get_source
    from pipeline.storage import read_json
    from pipeline.workspace import (
        PROJECT,
        add_distillations,
        build_workspace,
        claim_workspace,
        reproduce,
    )
    from pipeline.yaml_files import read_yaml

    chosen = get_source(source)
    stages = [name for name in read_yaml(PROJECT / "dvc.yaml")["stages"] if name != "code"]
    if until.split("@")[0] not in stages:
        raise PipelineError(f"--until {until}: no such stage\nThere are: {', '.join(stages)}")
    targets = TARGETS.get(until, [until])
    with claim_workspace(out):
        build_workspace(out, source=chosen, path=path or fetched_file(chosen))
        if distil:
            add_distillations(out / "params.yaml")
        load_params(out / "params.yaml")  # DVC would stop too, and not say what to do
        try:
            reproduce(out, targets)
        except GateFailedError:  # what was found is what the page is for
            note(f"page: {write_report(out)}\nwaivers of this build: {out / 'params.yaml'}")
            raise
        page = write_report(out)
    counts = out / "reports" / "metrics" / "corpora.json"
    if "count_corpora" not in targets:  # counts that are there may be of an earlier build
        note(f"{until} is done; corpora are counted with --until build_preferences")
        note(f"page: {page}")
    elif as_json:
        say_json(read_json(counts))
    else:
        say("\n".join(counts_table(read_json(counts))))
        note(f"counts: {counts}\npage: {page}")


def write_report(out: Path) -> Path:
    """Write cards and pages of what is there; return the path of the first page."""
    from pipeline.dag.signature import stage_paths
    from pipeline.reporting.stage_graph import read_values
    from pipeline.stages import report

    paths = {name: out / path for name, path in stage_paths("report").items()}
    params = read_values(out / "params.yaml")
    report.run(params, root=out, **paths)
    return paths["page"]
