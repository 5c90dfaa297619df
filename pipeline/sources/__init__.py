"""Raw corpora become records here, and nowhere else.

To add a source: a file with a reader and its `Source`, and a line below.
"""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

from pipeline.extensions import Catalogue, blamed
from pipeline.records import Rejection
from pipeline.sources.base import ReadOptions, Source, Sourced, TableColumns
from pipeline.sources.empathetic_dialogues import EMPATHETIC_DIALOGUES
from pipeline.sources.sample import SAMPLE
from pipeline.sources.table import TABLE
from pipeline.sources.welivita import WELIVITA2023, WELIVITA2024


def _guarded(entry: EntryPoint, source: Source) -> Source:
    """Return a source whose reader yields nothing but rows under its name, or says whose it is."""

    def read(path: Path, options: ReadOptions) -> Iterator[Sourced | Rejection]:
        with blamed(entry):
            for item in source.read(path, options):
                if not isinstance(item, Sourced | Rejection):
                    raise TypeError(f"its reader yields a {type(item).__name__}")
                if isinstance(item, Sourced):
                    rows = [item.exchange.lineage, *(reply.lineage for reply in item.responses)]
                    if others := {row.source for row in rows} - {entry.name}:
                        raise ValueError(f"{item.exchange.id} is of source {others.pop()!r}")
                yield item

    return replace(source, read=read)


SOURCES = Catalogue(
    "sources",
    Source,
    {
        source.name: source
        for source in (SAMPLE, WELIVITA2024, WELIVITA2023, EMPATHETIC_DIALOGUES, TABLE)
    },
    guard=_guarded,
)


def get_source(name: str) -> Source:
    """Return the source called `name`, or say which there are."""
    return SOURCES.named(name, what="source")


__all__ = ["SOURCES", "ReadOptions", "Source", "Sourced", "TableColumns", "get_source"]
