"""The rated dialogues, and their replies as a judge is asked about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.records import Exchange, Response
from pipeline.sources import ReadOptions, Sourced, get_source

DATASET = "welivita2024/dataset.csv"
MAX_CHARS = 20_000
HUMAN = "human"
SEED = 42

Pairs = list[tuple[Exchange, Response]]


def read_rated(data: Path) -> dict[str, Sourced]:
    """Return the rated dialogues by id."""
    read = get_source("welivita2024").read(data / DATASET, ReadOptions(max_chars=MAX_CHARS))
    return {one.exchange.dialogue_id: one for one in read if isinstance(one, Sourced)}


def pairs_of(dialogues: Mapping[str, Sourced], names: Iterable[str]) -> Pairs:
    """Return the replies of the dialogues `names`, each with its exchange."""
    return [
        (dialogues[name].exchange, response)
        for name in names
        for response in dialogues[name].responses
    ]
