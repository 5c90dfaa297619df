"""`distillery audit`: look for what is wrong with any dataset file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from pipeline.audit.result import AuditResult
    from pipeline.audit.roles import Roles

Column = Annotated[str | None, typer.Option(help="column of that role; guessed if not given")]


# `audit build`, which DVC runs; no help lists it.
STAGE = "build"


class Embeddings(StrEnum):
    """What tells whether two replies mean the same."""

    WORDS = "words"
    MINILM = "minilm"


class _FileFirst(TyperGroup):
    """`audit FILE` is short for `audit file FILE`."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name == STAGE:
            from pipeline.dag.command import stage_command

            return stage_command("audit")
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in (*self.commands, STAGE):
            args = ["file", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = ["file", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_FileFirst,
    no_args_is_help=True,
    help="Audit any dataset: distillery audit FILE [--text COL ...], or --source NAME --path FILE.",
)


def register(parent: typer.Typer) -> None:
    """Add the commands of this module to `parent`."""
    from pipeline.cli import audit_changes

    app.command("diff")(audit_changes.diff)
    app.command("apply")(audit_changes.apply)
    parent.add_typer(app, name="audit")


@app.command("file")
def audit_file(
    file: Annotated[Path | None, typer.Argument(help="CSV, JSON Lines, Parquet or folder")] = None,
    *,
    text: Annotated[list[str] | None, typer.Option(help="column of texts; may be repeated")] = None,
    prompt: Column = None,
    label: Column = None,
    group: Column = None,
    split: Column = None,
    rater: Column = None,
    responder: Column = None,
    original: Annotated[
        str | None, typer.Option(help="column of the reply that the text improves")
    ] = None,
    pair: Annotated[str | None, typer.Option(help="columns of a pair: chosen,rejected")] = None,
    against: Annotated[Path | None, typer.Option(help="another file, to look for leakage")] = None,
    probabilities: Annotated[
        str | None,
        typer.Option(help="how columns of a classifier's probabilities begin: p_ for p_1, p_2 ..."),
    ] = None,
    embeddings: Annotated[
        Embeddings, typer.Option(help="what tells that two replies mean the same")
    ] = Embeddings.WORDS,
    source: Annotated[str | None, typer.Option(help="a known source, its columns known")] = None,
    path: Annotated[Path | None, typer.Option(help="the file of --source")] = None,
    out: Annotated[
        Path | None, typer.Option(help="folder for findings; default audit-NAME")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,
) -> None:
    """Look for what is wrong with FILE; exit 1 if a warning or worse was found."""
    from dataclasses import replace

    from pipeline.audit.building import read_table
    from pipeline.audit.layouts import get_layout
    from pipeline.audit.run import PAGE, audit_folder, run_audit, write_result
    from pipeline.audit.settings import AuditSettings
    from pipeline.cli.console import note, say_json
    from pipeline.errors import GateFailedError, PipelineError
    from pipeline.pages import write_page
    from pipeline.reporting.audit_page import audit_html
    from pipeline.sources.pseudonyms import PUBLISHED

    target = file or path
    if target is None:
        raise PipelineError("no file to audit\nName one: distillery audit FILE")
    given = {
        "prompt": prompt,
        "group": group,
        "split": split,
        "responder": responder,
        "improved_from": original,
        "probabilities": probabilities,
    }
    roles: Roles | None
    if source:
        roles = get_layout(source)
    else:
        roles = _given_roles(target, text or [], label, rater, pair, given)
    table = read_table(
        target,
        roles,
        against=against,
        name=source,
        raters=PUBLISHED if source else None,
    )
    if embeddings is Embeddings.MINILM:
        from pipeline.features.embeddings import CachedEmbedder, MiniLm

        table = replace(table, embed=CachedEmbedder(MiniLm()).embed)
    folder = out or Path(f"audit-{table.name}")
    with audit_folder(folder) as part:
        result = run_audit(table, AuditSettings())
        write_result(result, part)
        write_page(part / PAGE, audit_html(result))
    if json:
        say_json(result.summary(seconds=True))
    else:
        _print(result)
    note(f"report: {folder / PAGE}; beside it findings.parquet and summary.json")
    counts = result.counts()
    found = counts["warning"] + counts["critical"]
    if found or result.failed:
        broken = f", {len(result.failed)} detector(s) failed" if result.failed else ""
        raise GateFailedError(
            f"{found} findings of severity warning or critical{broken}\nThey are in {folder}."
        )


def _given_roles(
    path: Path,
    texts: list[str],
    label: str | None,
    rater: str | None,
    pair: str | None,
    given: dict[str, str | None],
) -> Roles | None:
    """Return the guessed roles with the given ones in their place; None if none is given."""
    from dataclasses import replace

    from pipeline.audit.reading import read_raw
    from pipeline.audit.roles import TextColumn, guess_roles
    from pipeline.errors import PipelineError

    named = {role: column for role, column in given.items() if column}
    if not (texts or label or rater or pair or named):
        return None
    roles = replace(guess_roles(read_raw(path)), **named)  # type: ignore[arg-type]
    if texts:
        wide = len(texts) > 1
        roles = replace(
            roles,
            texts=tuple(TextColumn(text, responder=text if wide else None) for text in texts),
            turns=None,
            prompt=None if roles.prompt in texts else roles.prompt,
            situation=None if roles.situation in texts else roles.situation,
        )
    if label or rater:
        labelled = (
            replace(one, label=label or one.label, rater=rater or one.rater) for one in roles.texts
        )
        roles = replace(roles, texts=tuple(labelled))
    if pair:
        sides = [side.strip() for side in pair.split(",")]
        if len(sides) != 2:
            raise PipelineError(
                f"--pair {pair}: two columns are needed\nSay --pair chosen,rejected"
            )
        roles = replace(roles, chosen=sides[0], rejected=sides[1], texts=(), votes=())
    return roles


def _print(result: AuditResult) -> None:
    from pipeline.cli.console import say

    guessed = " (guessed)" if result.columns_guessed else ""
    say(f"{result.name}: {result.rows} rows, {result.texts} texts")
    say(f"columns{guessed}: " + ", ".join(f"{role}={col}" for role, col in result.columns.items()))
    for remark in result.notes:
        say(f"note: {remark}")
    say(f"{'detector':24}{'status':9}{'critical':>9}{'warning':>9}{'info':>7}")
    for run in result.runs:
        counts = result.counts(run.detector)
        figures = f"{counts['critical']:>9}{counts['warning']:>9}{counts['info']:>7}"
        say(f"{run.detector:24}{run.status:9}{figures}  {run.why}".rstrip())
