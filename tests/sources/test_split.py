"""Splits by dialogue: the authors' rule and the grouped one, and the leaks of either."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.split import (
    Link,
    SplitItem,
    count_leaks,
    find_links,
    grouped_random_split,
    papers_split,
)

WIDOW = "My neighbour of thirty years died on Sunday and I cannot look at his window."
GARDEN = "We planted tomatoes on the roof and the whole street came to see them."


def item(
    name: str,
    *,
    dialogue: str | None = None,
    collection: str | None = None,
    situation: str = "",
    utterance: str = "",
    ratings: tuple[int | None, ...] = (),
) -> SplitItem:
    return SplitItem(name, dialogue or name, collection, situation, utterance, ratings)


def links_of(*items: SplitItem) -> set[Link]:
    return set(find_links(items, threshold=0.6, min_words=5))


@pytest.mark.parametrize(
    ("ratings", "side"),
    [
        ((3, 3, 1, 1, 1), "train"),
        ((3, 2, 2, 2, 2), "test"),
        ((2, 2, 2, 1, 1), "test"),
        ((3, 3, 3, 3, 3), "train"),
        ((3, None), "test"),
        ((), "test"),
    ],
)
def test_the_authors_hold_out_what_fewer_than_two_did_well(
    ratings: tuple[int | None, ...], side: str
) -> None:
    assert papers_split([item("e", ratings=ratings)]) == [side]


def test_items_of_one_collection_task_are_linked() -> None:
    found = links_of(item("a", collection="hit:1"), item("b", collection="hit:1"), item("c"))

    assert found == {Link("a", "b", "collection")}


def test_equal_texts_link_whatever_their_case_and_marks() -> None:
    found = links_of(item("a", situation=WIDOW), item("b", utterance=WIDOW.upper() + "!!"))

    assert found == {Link("a", "b", "exact_text")}


def test_nearly_equal_texts_link() -> None:
    found = links_of(
        item("a", situation=WIDOW), item("b", situation=WIDOW.replace("Sunday", "Monday"))
    )

    assert found == {Link("a", "b", "near_text")}


def test_other_texts_do_not_link() -> None:
    assert links_of(item("a", situation=WIDOW), item("b", situation=GARDEN)) == set()


def test_short_texts_link_nothing() -> None:
    assert (
        links_of(
            item("a", utterance="Thank you so much!"), item("b", utterance="Thank you so much!")
        )
        == set()
    )


def test_a_dialogue_is_not_linked_to_itself() -> None:
    assert (
        links_of(item("a", dialogue="d", situation=WIDOW), item("b", dialogue="d", situation=WIDOW))
        == set()
    )


def test_linked_dialogues_share_a_side() -> None:
    items = [item(f"e{number}") for number in range(40)]
    chain = [Link(f"e{number}", f"e{number + 1}", "near_text") for number in range(0, 12, 2)]

    splits, groups = grouped_random_split(items, chain, test_share=0.5, seed=1)

    assert all(splits[n] == splits[n + 1] and groups[n] == groups[n + 1] for n in range(0, 12, 2))


def test_links_are_followed_from_one_to_the_next() -> None:
    items = [item(name) for name in "abc"]

    _, groups = grouped_random_split(
        items, [Link("a", "b", "x"), Link("b", "c", "x")], test_share=0.5, seed=1
    )

    assert set(groups) == {"a"}


def test_another_seed_makes_another_split() -> None:
    items = [item(f"e{number}") for number in range(40)]
    splits = {
        tuple(grouped_random_split(items, [], test_share=0.5, seed=seed)[0]) for seed in range(5)
    }

    assert len(splits) == 5


def test_the_split_does_not_depend_on_the_order_of_rows() -> None:
    items = [item(f"e{number}") for number in range(40)]
    there, _ = grouped_random_split(items, [], test_share=0.3, seed=7)
    back, _ = grouped_random_split(items[::-1], [], test_share=0.3, seed=7)

    assert there == back[::-1]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40),
    st.floats(0.05, 0.95),
    st.integers(0, 9),
)
def test_grouped_random_leaks_nothing_and_meets_its_share(
    joined: list[tuple[int, int]], test_share: float, seed: int
) -> None:
    items = [item(f"e{number}", dialogue=f"d{number % 31}") for number in range(62)]
    links = [Link(f"d{left}", f"d{right}", "near_text") for left, right in joined]

    splits, groups = grouped_random_split(items, links, test_share=test_share, seed=seed)

    split_of = dict(zip((one.dialogue_id for one in items), splits, strict=True))
    assert not any(count_leaks(links, split_of).values())
    assert all(split_of[one.dialogue_id] == split for one, split in zip(items, splits, strict=True))
    assert splits.count("test") <= round(test_share * len(items))
    smallest_left = min(
        (groups.count(g) for g, s in zip(groups, splits, strict=True) if s == "train"), default=99
    )
    assert splits.count("test") + smallest_left > round(test_share * len(items))


def test_leaks_are_counted_by_reason() -> None:
    links = [
        Link("a", "b", "collection"),
        Link("a", "c", "near_text"),
        Link("a", "c", "near_text"),
        Link("c", "d", "exact_text"),
    ]

    leaks = count_leaks(links, {"a": "train", "b": "test", "c": "test", "d": "test"})

    assert leaks == {"collection": 1, "exact_text": 0, "near_text": 1}
