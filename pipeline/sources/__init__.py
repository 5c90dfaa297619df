"""Raw corpora become records here, and nowhere else.

To add a source: a file with a reader and its `Source`, and a line below.
"""

from pipeline.errors import PipelineError
from pipeline.sources.base import ReadOptions, Source, Sourced, TableColumns
from pipeline.sources.empathetic_dialogues import EMPATHETIC_DIALOGUES
from pipeline.sources.sample import SAMPLE
from pipeline.sources.table import TABLE
from pipeline.sources.welivita import WELIVITA2023, WELIVITA2024

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (SAMPLE, WELIVITA2024, WELIVITA2023, EMPATHETIC_DIALOGUES, TABLE)
}


def get_source(name: str) -> Source:
    """Return the source called `name`, or say which there are."""
    if name not in SOURCES:
        raise PipelineError(f"source {name!r}: not known\nUse one of: {', '.join(SOURCES)}")
    return SOURCES[name]


__all__ = ["SOURCES", "ReadOptions", "Source", "Sourced", "TableColumns", "get_source"]
