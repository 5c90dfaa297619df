"""Who sees which dialogue in the study `student`: two test sets, and two halves without a circle.

The `papers` test set is the authors' own (fewer than two responses rated 3). Of the other
dialogues a random test set is drawn, and the rest is halved: one half trains students, the other
the judges, so that no judge was taught by a dialogue that taught a student. Linked dialogues (one
collection task, or nearly the same text) are never parted by these draws; those that the authors'
rule parts are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.records import Rejection
from pipeline.sources import ReadOptions, Sourced, get_source
from pipeline.sources.split import (
    Link,
    SplitItem,
    count_leaks,
    find_links,
    grouped_random_split,
    papers_split,
)

DATASET = Path("welivita2024/dataset.csv")
SEED = 42
RANDOM_TEST = 250
PARTS = ("papers", "random", "students", "judges")


def read_dialogues(data: Path) -> list[Sourced]:
    """Return the rated dialogues, in file order; a dialogue is one exchange here."""
    rows = get_source("welivita2024").read(data / DATASET, ReadOptions(max_chars=20_000))
    return [row for row in rows if not isinstance(row, Rejection)]


def split_dialogues(dialogues: Sequence[Sourced], *, seed: int = SEED) -> dict[str, list[str]]:
    """Return the dialogue ids of each part, in file order."""
    items = [_item(one) for one in dialogues]
    links = _links(items)
    part: dict[str, str] = {}
    for item, side in zip(items, papers_split(items), strict=True):
        if side == "test":
            part[item.dialogue_id] = "papers"
    rest = [item for item in items if item.dialogue_id not in part]
    for name, share, salt in (
        ("random", RANDOM_TEST / len(rest), 0),
        ("students", 0.5, 1),
    ):
        sides, _ = grouped_random_split(
            rest, _within(links, rest), test_share=share, seed=seed + salt
        )
        part.update(
            {
                item.dialogue_id: name
                for item, side in zip(rest, sides, strict=True)
                if side == "test"
            }
        )
        rest = [item for item in rest if item.dialogue_id not in part]
    part.update(dict.fromkeys((item.dialogue_id for item in rest), "judges"))
    return {
        name: [item.dialogue_id for item in items if part[item.dialogue_id] == name]
        for name in PARTS
    }


def describe_split(
    dialogues: Sequence[Sourced], split: dict[str, list[str]], *, seed: int = SEED
) -> dict[str, Any]:
    """Return sizes, and the links that still join training dialogues with a test set."""
    items = [_item(one) for one in dialogues]
    part = {dialogue: name for name, ids in split.items() for dialogue in ids}
    links = _links(items)
    sides = {
        name: {one: "test" if of == name else "train" for one, of in part.items()}
        for name in ("papers", "random")
    }
    return {
        "seed": seed,
        "dialogues": {name: len(ids) for name, ids in split.items()},
        "links_to_other_parts": {name: count_leaks(links, sides[name]) for name in sides},
    }


def _links(items: Sequence[SplitItem]) -> list[Link]:
    return find_links(items, threshold=0.6, min_words=5)


def _within(links: Sequence[Link], items: Sequence[SplitItem]) -> list[Link]:
    inside = {item.dialogue_id for item in items}
    return [link for link in links if link.left in inside and link.right in inside]


def _item(one: Sourced) -> SplitItem:
    exchange = one.exchange
    return SplitItem(
        exchange_id=exchange.id,
        dialogue_id=exchange.dialogue_id,
        collection_id=exchange.collection_id,
        situation=exchange.situation,
        utterance=exchange.utterance,
        ratings=tuple(response.rating for response in one.responses),
    )
