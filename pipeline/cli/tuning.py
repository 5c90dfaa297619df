"""`distillery tuning`: rated responses as rows that a provider fine-tunes a rater with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("tuning")(tuning)


def tuning(
    out: Annotated[Path, typer.Option(help="JSON Lines file to write")],
    template: Annotated[
        str, typer.Option(help="rate/naive or rate/dimensions, the prompt of each row")
    ] = "rate/naive",
    build: Annotated[
        Path, typer.Option("--in", help="folder of the build, where `datasets` is")
    ] = Path(),
) -> None:
    """Export the rated train responses in the chat fine-tuning format of OpenAI's API."""
    from pipeline.cli.console import note
    from pipeline.features.pairs import read_pairs
    from pipeline.features.rater import tuning_lines
    from pipeline.records import SplitAssignment
    from pipeline.storage import AtomicFile, read_table

    datasets = build / "datasets"
    split_of = {
        one.exchange_id: one.split
        for one in read_table(datasets / "splits.parquet", SplitAssignment)
    }
    pairs = read_pairs(datasets / "exchanges.parquet", datasets / "responses" / "source.parquet")
    train = [pair for pair in pairs if split_of[pair[0].id] == "train"]
    lines = list(tuning_lines(train, template=template))
    with AtomicFile(out) as part:
        part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    note(f"{out}: {len(lines)} rows of {len({one.id for one, _ in train})} train exchanges")
