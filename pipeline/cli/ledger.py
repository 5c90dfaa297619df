"""`distillery ledger`: look at the kept answers, ship them, thin them out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Kept answers of models: stats, export, import, prune.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="print as JSON")]
File = Annotated[
    Path | None, typer.Option("--ledger", help="another ledger file than the project's")
]


def register(main: typer.Typer) -> None:
    """Add the commands to `main`."""
    main.add_typer(app, name="ledger")


def _path(ledger: Path | None) -> Path:
    from pipeline.llm.open_chat import ledger_path

    return ledger or ledger_path()


@app.command()
def stats(ledger: File = None, as_json: Json = False) -> None:
    """Show answers, attempts, tokens and dollars per stage and role."""
    from pipeline.cli.console import say, say_json
    from pipeline.llm.ledger_transfer import ledger_stats
    from pipeline.pages import printable

    spent, rows = ledger_stats(_path(ledger))
    if as_json:
        say_json({"spent": vars(spent), "stages": [row.model_dump() for row in rows]})
        return
    say("| stage | role | answers | attempts | failed | unanswered | tokens | USD |")
    say("|---|---|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        stage = printable(" ".join(row.stage.split())).replace("|", "\\|")
        say(
            f"| {stage} | {row.role} | {row.answers:,} | {row.attempts:,} | {row.failed:,} "
            f"| {row.unanswered:,} | {row.tokens:,} | {row.usd:.4f} |"
        )
    say(f"\nSpent: {spent.calls} calls, {spent.tokens} tokens, {spent.usd:.4f} USD.")


@app.command("export")
def export_(
    out: Annotated[Path, typer.Argument(help="JSON Lines file to write")],
    salvage: Annotated[
        bool, typer.Option("--salvage", help="read a damaged ledger row by row")
    ] = False,
    ledger: File = None,
) -> None:
    """Write all answers to OUT: a cassette for engine `recorded`, or a backup."""
    from pipeline.cli.console import say
    from pipeline.llm.ledger_transfer import export_answers

    say(f"{out}: {export_answers(_path(ledger), out, salvage=salvage)} answers")


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="file of `ledger export`")], ledger: File = None
) -> None:
    """Add the answers of an export; those already there stay as they are."""
    from pipeline.cli.console import say
    from pipeline.llm.ledger_transfer import import_answers

    added, known = import_answers(_path(ledger), source)
    say(f"{added} answers added, {known} were there already")


@app.command()
def prune(
    older_than_days: Annotated[float | None, typer.Option(min=0, help="answers older than")] = None,
    stage: Annotated[str | None, typer.Option(help="answers of this stage only")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    ledger: File = None,
) -> None:
    """Delete answers, by age or stage; asking again would be paid for again."""
    from pipeline.cli.console import say
    from pipeline.errors import PipelineError
    from pipeline.llm.ledger_transfer import prune_answers

    if older_than_days is None and stage is None:
        raise PipelineError("prune: nothing chosen\nGive --older-than-days, --stage or both.")
    if not yes and not typer.confirm("Deleted answers must be paid for again. Delete?"):
        raise PipelineError("prune: nothing was deleted")
    count = prune_answers(_path(ledger), older_than_days=older_than_days, stage=stage)
    say(f"{count} answers deleted; what was spent stays counted")
