"""A source: a text file with a letter and its answer on each line, a tab between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.records import Exchange, Lineage, RawLocation, Rejection, Response, content_id
from pipeline.sources.base import ReadOptions, Source, Sourced

NAME = "letters"


def read(path: Path, options: ReadOptions) -> Iterator[Sourced | Rejection]:
    """Yield each letter with its answer."""
    del options
    lineage = Lineage(source=NAME, licence="CC0-1.0", operation="ingest")
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        letter, _, answer = line.partition("\t")
        exchange_id = content_id("exchange", NAME, str(row), letter)
        exchange = Exchange(
            id=exchange_id,
            dialogue_id=f"letter-{row}",
            situation="",
            utterance=letter,
            raw=RawLocation(file=path.name, row=row),
            lineage=lineage,
        )
        response = Response(
            id=content_id("response", exchange_id, "editor", answer),
            exchange_id=exchange_id,
            responder="editor",
            text=answer,
            lineage=lineage.model_copy(update={"parents": (exchange_id,)}),
        )
        yield Sourced(exchange, (response,))


LETTERS = Source(
    name=NAME,
    title="Letters to an editor",
    licence="CC0-1.0",
    citation="Composed for a test",
    synthetic="none",
    read=read,
    reference_responder="editor",
)
