"""Train and test by dialogue, never by row."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.near_duplicates import Groups, NearDuplicate, near_duplicates, normalise
from pipeline.records import SplitName
from pipeline.text.words import count_words

GOOD = 3


@dataclass(frozen=True)
class SplitItem:
    """What the split rules look at of one exchange; `ratings` are those of its responses."""

    exchange_id: str
    dialogue_id: str
    collection_id: str | None
    situation: str
    utterance: str
    ratings: tuple[int | None, ...]


@dataclass(frozen=True)
class Link:
    """Two dialogues that must not be on different sides, and why."""

    left: str
    right: str
    reason: str


def papers_split(items: Sequence[SplitItem]) -> list[SplitName]:
    """Return the authors' split: test is where fewer than two responses are rated good.

    Chosen by label, so the test side holds the hard dialogues (Xie et al. 2025).
    """
    return ["test" if item.ratings.count(GOOD) < 2 else "train" for item in items]


def grouped_random_split(
    items: Sequence[SplitItem], links: Iterable[Link], *, test_share: float, seed: int
) -> tuple[list[SplitName], list[str]]:
    """Return (split, group) of each item; linked dialogues share both.

    Groups are drawn in a seeded order into the test side until it holds `test_share` of the
    exchanges; a group that no longer fits is passed over, so the share is met to within one group.
    """
    groups = Groups(item.dialogue_id for item in items)
    for link in links:
        groups.join(link.left, link.right)
    of_item = [groups.find(item.dialogue_id) for item in items]
    sizes: dict[str, int] = {}
    for group in of_item:
        sizes[group] = sizes.get(group, 0) + 1
    order = sorted(sizes)
    random.Random(seed).shuffle(order)  # noqa: S311  a split is no secret
    left = round(test_share * len(items))
    test = set()
    for group in order:
        if sizes[group] <= left:
            test.add(group)
            left -= sizes[group]
    return ["test" if group in test else "train" for group in of_item], of_item


def find_links(items: Sequence[SplitItem], *, threshold: float, min_words: int) -> list[Link]:
    """Return which dialogues must stay together: same collection task, or nearly the same text.

    Situations and utterances are compared with one another. Texts of fewer than `min_words` words
    ("Thank you so much!") say nothing about where they come from and link nothing.
    """
    links = [*_collection_links(items), *_text_links(items, threshold, min_words)]
    return [link for link in links if link.left != link.right]


def _collection_links(items: Sequence[SplitItem]) -> Iterable[Link]:
    first: dict[str, str] = {}
    for item in items:
        if item.collection_id is not None:
            known = first.setdefault(item.collection_id, item.dialogue_id)
            yield Link(known, item.dialogue_id, "collection")


def _text_links(items: Sequence[SplitItem], threshold: float, min_words: int) -> Iterable[Link]:
    said_in: dict[str, str] = {}
    for item in items:
        for text in (item.situation, item.utterance):
            key = normalise(text)
            if count_words(key) < min_words:
                continue
            known = said_in.setdefault(key, item.dialogue_id)
            yield Link(known, item.dialogue_id, "exact_text")
    texts = list(said_in)
    pairs: list[NearDuplicate] = near_duplicates(texts, threshold=threshold)
    for pair in pairs:
        yield Link(said_in[texts[pair.left]], said_in[texts[pair.right]], "near_text")


def count_leaks(links: Iterable[Link], split_of: Mapping[str, str]) -> dict[str, int]:
    """Return how many links of each reason join dialogues on different sides of the split.

    `split_of` maps dialogue ids to splits. All zero is a split without a known leak.
    """
    counts = dict.fromkeys(("collection", "exact_text", "near_text"), 0)
    for link in set(links):
        if split_of[link.left] != split_of[link.right]:
            counts[link.reason] += 1
    return counts
