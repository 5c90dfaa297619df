"""`distillery score`: score any responses with a saved scorer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.layout import path_of

if TYPE_CHECKING:
    from pipeline.records import Exchange, Response

SHOWN_ROWS = 20


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("score")(score)


def score(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or Parquet file")],
    model: Annotated[Path, typer.Option(help="folder of a saved scorer")] = path_of("scorer"),
    utterance: Annotated[str, typer.Option(help="column of what is answered")] = "utterance",
    response: Annotated[str, typer.Option(help="column of the response")] = "response",
    situation: Annotated[
        str | None, typer.Option(help="column of the situation, if there is one")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="JSON Lines file for all scores")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the scores as JSON")] = False,
) -> None:
    """Score the responses of FILE: probabilities of 1 to 3, reasons, and what is out of range."""
    from contextlib import nullcontext

    from pipeline.cli.console import note, say, say_json
    from pipeline.features.embeddings import CachedEmbedder, MiniLm
    from pipeline.scoring.predict import score_pairs
    from pipeline.storage import AtomicFile

    pairs = list(_pairs(file, utterance, response, situation))
    with AtomicFile(out) if out else nullcontext() as part:
        scores = list(score_pairs(pairs, model, CachedEmbedder(MiniLm())))
        if part is not None:
            lines = "".join(f"{one.model_dump_json()}\n" for one in scores)
            part.write_text(lines, encoding="utf-8")
    if out is not None:
        note(f"{out}: {len(scores)} scores")
    if as_json:
        say_json([one.model_dump(mode="json") for one in scores])
        return
    for one in scores[: SHOWN_ROWS if out else None]:
        chances = "  ".join(f"{name}: {chance:.2f}" for name, chance in one.probabilities.items())
        why = ", ".join(f"{reason.feature} {reason.effect:+.2f}" for reason in one.reasons)
        label = "out of range" if one.out_of_range else str(one.value)
        say(f"{one.id}  {label}  ({chances})  {', '.join(one.out_of_range) or why}")


def _pairs(
    file: Path, utterance: str, response: str, situation: str | None
) -> list[tuple[Exchange, Response]]:
    from pipeline.errors import RowError, TableError
    from pipeline.records import Exchange, Lineage, RawLocation, Response
    from pipeline.sources.licences import NONE_STATED
    from pipeline.sources.rows import iter_rows

    # A name of a file may be no UTF-8, and then no record takes it.
    name = file.name.encode("utf-8", "replace").decode()
    lineage = Lineage(source=name or "table", licence=NONE_STATED, operation="score")
    pairs = []
    columns = [utterance, response, *([situation] if situation else [])]
    for row, values in iter_rows(file, columns):
        for column in columns:
            if re.search("[\ud800-\udfff]", _text(values[column])):
                problem = f"{column} holds half a character (a lone surrogate)"
                raise RowError(file, row, problem, hint="Mend the text or drop the row.")
        said, answer = _text(values[utterance]), _text(values[response])
        if not said or not answer:
            raise RowError(file, row, "utterance or response is empty", hint="Drop the row.")
        exchange = Exchange(
            id=f"row-{row}",
            dialogue_id=f"row-{row}",
            situation=_text(values[situation]) if situation else "",
            utterance=said,
            raw=RawLocation(file=name, row=row),
            lineage=lineage,
        )
        answered = Response(
            id=f"row-{row}", exchange_id=exchange.id, responder="any", text=answer, lineage=lineage
        )
        pairs.append((exchange, answered))
    if not pairs:
        raise TableError(file, "there is no row in it", hint="A table with rows is needed.")
    return pairs


def _text(value: Any) -> str:
    return str(value or "").strip()
