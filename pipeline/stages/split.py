"""Stage `split`: which exchanges are trained on and which are held out."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.config import Section
from pipeline.declare import In, Metrics, Out
from pipeline.errors import GateFailedError
from pipeline.records import Exchange, Response, SplitAssignment
from pipeline.sources.split import (
    SplitItem,
    count_leaks,
    find_links,
    grouped_random_split,
    papers_split,
)
from pipeline.storage import read_table, together, write_json, write_table


class SplitParams(Section):
    """Section `split` of params.yaml.

    `papers` is the authors' rule (test: fewer than two responses rated 3); `grouped_random` is
    seeded and keeps linked dialogues on one side. A link is a shared collection task, or texts of
    at least `min_words` words whose Jaccard similarity reaches `near_duplicate_threshold`, from 0
    (all texts) to 1 (the same words in the same order).
    """

    rule: Literal["papers", "grouped_random"]
    test_share: float = Field(gt=0, lt=1, description="share of exchanges; grouped_random only")
    near_duplicate_threshold: float = Field(gt=0, le=1)
    min_words: int = Field(ge=1, description="words")


@together()
def run(
    params: SplitParams,
    *,
    seed: int,
    exchanges: In[Exchange],
    responses: In[Response],
    out: Out[SplitAssignment],
    metrics: Metrics,
) -> None:
    """Write one assignment per exchange, in the same order, and the leaks that are left."""
    items = _items(exchanges, responses)
    links = find_links(items, threshold=params.near_duplicate_threshold, min_words=params.min_words)
    if params.rule == "papers":
        splits, groups = papers_split(items), [item.dialogue_id for item in items]
    else:
        splits, groups = grouped_random_split(items, links, test_share=params.test_share, seed=seed)
    split_of = {item.dialogue_id: split for item, split in zip(items, splits, strict=True)}
    leaks = count_leaks(links, split_of)
    if params.rule == "grouped_random" and any(leaks.values()):
        raise GateFailedError(
            f"{out}: linked dialogues are on both sides of the split: {leaks}\n"
            "This should not happen under grouped_random; please report it with the data."
        )
    write_table(
        out,
        SplitAssignment,
        (
            SplitAssignment(
                exchange_id=item.exchange_id, split=split, group=group, rule=params.rule
            )
            for item, split, group in zip(items, splits, groups, strict=True)
        ),
    )
    sizes = Counter(splits)
    write_json(
        metrics,
        {
            "rule": params.rule,
            "train": sizes["train"],
            "test": sizes["test"],
            "groups": len(set(groups)),
            "largest_group": max(Counter(groups).values()),
            "leaks": leaks,
        },
    )


def _items(exchanges: Path, responses: Path) -> list[SplitItem]:
    ratings = {
        exchange_id: tuple(response.rating for response in group)
        for exchange_id, group in groupby(
            read_table(responses, Response), key=lambda response: response.exchange_id
        )
    }
    return [
        SplitItem(
            exchange_id=exchange.id,
            dialogue_id=exchange.dialogue_id,
            collection_id=exchange.collection_id,
            situation=exchange.situation,
            utterance=exchange.utterance,
            ratings=ratings.get(exchange.id, ()),
        )
        for exchange in read_table(exchanges, Exchange)
    ]
