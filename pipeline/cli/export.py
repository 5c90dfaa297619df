"""`distillery export`: a corpus in the format of a trainer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.exports.export import Exported


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("export")(export)


def export(
    out: Annotated[Path, typer.Option(help="folder to write: new, or empty")],
    corpus: Annotated[str | None, typer.Argument(help="a corpus of params.yaml")] = None,
    format_name: Annotated[
        str, typer.Option("--format", help="hf, trl, llama-factory, axolotl, openai-finetune, csv")
    ] = "hf",
    kind: Annotated[
        list[str] | None,
        typer.Option(help="sft, preferences-strict or preferences-authors; again for more"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="every corpus, in a folder each")] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="refuse unless every row may be published")
    ] = False,
    build: Annotated[
        Path, typer.Option("--in", help="folder of the build, where `datasets` is")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="print what was written")] = False,
) -> None:
    """Write CORPUS to OUT for a trainer, the Hub or a spreadsheet, with its card; ids travel along.

    OUT appears whole or not at all, and nothing is written over.
    """
    from pipeline.cli.console import note, say, say_json
    from pipeline.errors import PipelineError
    from pipeline.exports.export import export_corpora
    from pipeline.exports.tables import KINDS, corpus_names
    from pipeline.reporting.cards import corpus_card
    from pipeline.reporting.cards.unmeasured import unmeasured_card
    from pipeline.reporting.facts import Facts, NotBuiltError
    from pipeline.reporting.stage_graph import read_stage_graph

    if every == (corpus is not None):
        raise PipelineError(
            f"name one corpus, or give --all\nThere are: {', '.join(corpus_names(build)) or 'none'}"
        )
    chosen = [one for one in KINDS if one in (kind or ())]
    if unknown := sorted(set(kind or ()) - set(KINDS)):
        raise PipelineError(
            f"--kind {', '.join(unknown)}: not known\nThere are: {', '.join(KINDS)}"
        )
    facts = Facts(build, read_stage_graph(build / "dvc.yaml"))

    def card(one: Exported, configs: list[dict[str, Any]] | None) -> str:
        try:
            return corpus_card(one.corpus, facts, configs=configs).text
        except NotBuiltError as missing:
            note(f"{one.corpus}: the card has no figures yet; they are made by: {missing.command}")
            return unmeasured_card(one.corpus, one.licence, configs, missing.command).text

    exported = export_corpora(
        build,
        [corpus] if corpus is not None else corpus_names(build),
        out,
        format_name=format_name,
        kinds=chosen,
        publish=publish,
        card=card,
    )
    if as_json:
        say_json([one.as_dict() for one in exported])
        return
    for one in exported:
        for part in one.parts:
            say(f"{part.corpus}  {part.kind}  {part.split}  {part.rows:,} rows")
        if not one.may_be_published:
            note(f"{one.corpus}: licence {one.licence}; keep this export to yourself")
    note(f"written: {out}")
