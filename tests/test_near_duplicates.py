"""Texts that say nearly the same."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.planting.copies import random_replies, with_near_copies
from pipeline.near_duplicates import (
    Groups,
    NearDuplicate,
    jaccard,
    near_duplicates,
    normalise,
    shingles,
)
from pipeline.near_duplicates.shingles import Likeness

LOST = "My neighbour of thirty years died on Sunday and I miss him."
TEXTS = st.lists(st.text("abc ", min_size=1, max_size=30), max_size=12)


def templates(count: int) -> list[str]:
    return [
        f"I am sorry that your day went like that; what they said about {words} must have hurt, "
        f"and I am here to listen to you for as long as you want to talk about it."
        for words in random_replies(count, seed=1, words=(2, 2))
    ]


def others(count: int) -> list[str]:
    return [
        f"Es tut mir leid, dass {words} dich heute so traurig gemacht hat; magst du mir davon "
        f"erzählen, damit ich besser verstehe, was da in dir vorgeht?"
        for words in random_replies(count, seed=3, words=(2, 2))
    ]


def clusters(texts: int, pairs: list[NearDuplicate]) -> set[frozenset[int]]:
    groups = Groups(map(str, range(texts)))
    for pair in pairs:
        groups.join(str(pair.left), str(pair.right))
    members: dict[str, list[int]] = {}
    for position in range(texts):
        members.setdefault(groups.find(str(position)), []).append(position)
    return set(map(frozenset, members.values()))


def test_marks_and_case_do_not_matter() -> None:
    assert normalise("  Oh, NO!!  What\nnow? ") == "oh no what now"


def test_shingles_are_of_four_characters() -> None:
    assert shingles("abcdef") == {"abcd", "bcde", "cdef"}


@pytest.mark.parametrize("text", ["", "a", "abc", "abcd"])
def test_a_short_text_is_one_shingle(text: str) -> None:
    assert shingles(text) == {text}


@pytest.mark.parametrize(
    ("left", "right", "similarity"), [("ab", "ab", 1.0), ("ab", "cd", 0.0), ("abc", "bcd", 0.5)]
)
def test_similarity_is_what_is_common_of_all(left: str, right: str, similarity: float) -> None:
    assert jaccard(frozenset(left), frozenset(right)) == similarity


def test_equal_texts_have_similarity_one() -> None:
    (found,) = near_duplicates([LOST, "Something else entirely.", LOST.upper()], threshold=0.6)

    assert (found.left, found.right, found.similarity) == (0, 2, 1.0)


def test_nearly_equal_texts_are_found_with_their_similarity() -> None:
    other = LOST.replace("Sunday", "Monday")

    (found,) = near_duplicates([LOST, other], threshold=0.6)

    assert found.similarity == jaccard(shingles(LOST), shingles(other)) < 1


def test_other_texts_are_not_found() -> None:
    assert near_duplicates([LOST, "We planted tomatoes on the roof."], threshold=0.3) == []


@pytest.mark.parametrize("texts", [[], [LOST]])
def test_fewer_than_two_texts_have_no_pair(texts: list[str]) -> None:
    assert near_duplicates(texts, threshold=0.6) == []


@pytest.mark.parametrize("last", ["", "?!", "a"])
def test_texts_without_a_word_are_equal_wherever_they_stand(last: str) -> None:
    found = near_duplicates(["...", LOST, "?", "abc", last], threshold=0.6)

    assert {(one.left, one.right) for one in found} == {
        (left, right) for left, right in [(0, 2), (0, 4), (2, 4)] if last != "a" or right == 2
    }


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_equal_texts_are_always_found_and_nothing_below_the_threshold(texts: list[str]) -> None:
    found = near_duplicates(texts, threshold=0.8)
    sets = [shingles(text) for text in texts]

    places = {(one.left, one.right) for one in found}
    equal = {
        (left, right)
        for left, right in combinations(range(len(texts)), 2)
        if sets[left] == sets[right]
    }
    assert equal <= places
    assert all(one.left < one.right and one.similarity >= 0.8 for one in found)
    assert found == sorted(found)
    assert found == near_duplicates(texts, threshold=0.8)


def test_groups_join_what_is_linked_and_nothing_else() -> None:
    groups = Groups("abcde")
    groups.join("d", "b")
    groups.join("b", "c")

    assert [groups.find(one) for one in "abcde"] == ["a", "b", "b", "b", "e"]


def test_finds_edited_copies_among_ten_thousand_and_nothing_else() -> None:
    texts, planted = with_near_copies(random_replies(10_000, seed=11), 1_000, seed=12)

    found = {(pair.left, pair.right) for pair in near_duplicates(texts, threshold=0.5)}

    assert len(found & planted) / len(planted) >= 0.99
    assert len(found & planted) / len(found) >= 0.99


def test_n_like_texts_cost_about_n_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = templates(3_000)
    checked: list[int] = []
    exact = Likeness.of

    def counted(self: Likeness, left: Any, right: Any) -> Any:
        checked.append(len(left))
        return exact(self, left, right)

    monkeypatch.setattr(Likeness, "of", counted)

    found = near_duplicates(texts, threshold=0.6)

    assert sum(checked) < 40 * len(texts)
    assert len(found) < 8 * len(texts)
    assert len(clusters(len(texts), found)) == 1


def test_two_crowds_in_one_list_are_two_clusters() -> None:
    texts = [text for pair in zip(templates(700), others(700), strict=True) for text in pair]

    found = near_duplicates(texts, threshold=0.6)

    assert clusters(len(texts), found) == {
        frozenset(range(0, 1400, 2)),
        frozenset(range(1, 1400, 2)),
    }


def test_a_chain_is_one_cluster_though_its_ends_are_not_alike() -> None:
    words = random_replies(1, seed=31, words=(900, 900))[0].split()
    texts = [" ".join(words[start : start + 30]) for start in range(870)]

    found = near_duplicates(texts, threshold=0.6)

    assert jaccard(shingles(texts[0]), shingles(texts[-1])) < 0.6
    assert clusters(len(texts), found) == {frozenset(range(len(texts)))}


def test_each_text_of_a_crowd_keeps_its_twin() -> None:
    texts = templates(2_000)
    texts += [f"{text} Yes." for text in texts]

    found = near_duplicates(texts, threshold=0.6)

    nearest: dict[int, tuple[float, int]] = {}
    for pair in found:
        for text, other in ((pair.left, pair.right), (pair.right, pair.left)):
            nearest[text] = max(nearest.get(text, (0.0, 0)), (pair.similarity, other))
    twins = sum(abs(text - other) == 2_000 for text, (_, other) in nearest.items())
    assert twins >= 0.9 * len(texts)


def test_with_sides_each_of_a_crowd_meets_one_of_the_other_side() -> None:
    texts = templates(1_500)
    sides = ["test" if position == 700 else "train" for position in range(len(texts))]

    found = near_duplicates(texts, threshold=0.6, sides=sides)

    assert all(700 in (pair.left, pair.right) for pair in found)
    assert len(found) == len(texts) - 1


def test_sides_take_away_only_pairs_of_one_side() -> None:
    texts, _ = with_near_copies(random_replies(500, seed=41), 200, seed=42)
    sides = [position % 2 for position in range(len(texts))]

    found = near_duplicates(texts, threshold=0.6, sides=sides)

    assert found == [
        pair
        for pair in near_duplicates(texts, threshold=0.6)
        if sides[pair.left] != sides[pair.right]
    ]


def test_misses_little_of_what_datasketch_finds() -> None:
    from datasketch import MinHash, MinHashLSH

    texts, _ = with_near_copies(random_replies(300, seed=21, words=(8, 40)), 100, seed=22)
    index, sketches = MinHashLSH(threshold=0.6, num_perm=128), []
    for position, text in enumerate(texts):
        sketch = MinHash(num_perm=128, seed=1)
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        index.insert(position, sketch)
        sketches.append(sketch)
    reference = {
        (left, right)
        for left, sketch in enumerate(sketches)
        for right in index.query(sketch)
        if right > left and jaccard(shingles(texts[left]), shingles(texts[right])) >= 0.6
    }

    found = {(pair.left, pair.right) for pair in near_duplicates(texts, threshold=0.6)}

    assert reference
    assert len(reference - found) <= 0.01 * len(reference)
