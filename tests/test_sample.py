"""What the card of the embedded sample promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, permutations
from pathlib import Path

import pytest

from pipeline.near_duplicates import near_duplicates
from pipeline.records import BehaviourCode, PreferencePair, Response
from pipeline.sources.base import Sourced
from pipeline.sources.sample import SAMPLE as SAMPLE_SOURCE
from pipeline.storage import read_json, read_table
from tests.builds import SAMPLE, read

STYLES = ("brief", "advice", "warm")
EXCHANGES: list[Sourced] = read(SAMPLE_SOURCE, SAMPLE)
RESPONSES: list[Response] = [one for item in EXCHANGES for one in item.responses]
CORPORA = ("direct-listener_b", "direct-listener_c", "direct-all_together")
Pair = tuple[Response, Response]
BASELINES = [*permutations(STYLES), ("longer",), ("shorter",)]


def words(text: str) -> int:
    return len(text.split())


def right_share(pairs: Sequence[Pair], baseline: Sequence[str]) -> float:
    """Return the share of (better, worse) pairs that `baseline` gets right; a draw is a half.

    A baseline is an order of styles, the first preferred, or `longer` or `shorter`.
    """
    return sum(_right(better, worse, baseline) for better, worse in pairs) / len(pairs)


def _right(better: Response, worse: Response, baseline: Sequence[str]) -> float:
    if baseline in (("longer",), ("shorter",)):
        sign = 1 if baseline == ("longer",) else -1
        ahead = sign * (words(better.text) - words(worse.text))
    else:
        ahead = baseline.index(str(worse.style)) - baseline.index(str(better.style))
    return 0.5 if ahead == 0 else float(ahead > 0)


def within_exchanges() -> list[Pair]:
    """Return every two responses to one exchange that are rated differently, better one first."""
    pairs = []
    for item in EXCHANGES:
        for left, right in combinations(item.responses, 2):
            if left.rating != right.rating:
                better = max(left, right, key=lambda one: one.rating or 0)
                pairs.append((better, left if better is right else right))
    return pairs


def built_pairs(build: Path, corpus: str) -> list[Pair]:
    by_id = {one.id: one for one in RESPONSES}
    path = build / "datasets" / "preferences" / "strict" / f"{corpus}.parquet"
    return [
        (by_id[one.chosen_id], by_id[one.rejected_id]) for one in read_table(path, PreferencePair)
    ]


def texts() -> Iterable[str]:
    for item in EXCHANGES:
        yield item.exchange.situation
        yield item.exchange.utterance
    yield from (one.text for one in RESPONSES)


def test_there_are_three_exchanges_for_each_of_32_emotions() -> None:
    counts = Counter(item.exchange.emotion for item in EXCHANGES)

    assert len(counts) == 32
    assert set(counts.values()) == {3}


def test_each_exchange_has_one_response_of_each_style() -> None:
    assert {tuple(sorted(str(one.style) for one in item.responses)) for item in EXCHANGES} == {
        tuple(sorted(STYLES))
    }


def test_every_response_is_rated() -> None:
    assert {one.rating for one in RESPONSES} == {1, 2, 3}


def test_all_fifteen_codes_occur() -> None:
    assert {code for one in RESPONSES for code in one.codes or ()} == set(BehaviourCode)


def test_responses_are_8_to_97_words_long() -> None:
    lengths = [words(one.text) for one in RESPONSES]

    assert min(lengths) >= 8
    assert max(lengths) <= 97


def test_no_two_texts_are_near_duplicates() -> None:
    assert near_duplicates(list(texts()), threshold=0.6) == []


@pytest.mark.parametrize("style", STYLES)
def test_each_style_has_each_rating_in_at_least_15_percent(style: str) -> None:
    ratings = [one.rating for one in RESPONSES if one.style == style]

    assert all(ratings.count(rating) >= 0.15 * len(ratings) for rating in (1, 2, 3))


@pytest.mark.parametrize("baseline", BASELINES, ids="-".join)
def test_no_baseline_tells_the_better_response_of_an_exchange(baseline: Sequence[str]) -> None:
    assert right_share(within_exchanges(), baseline) <= 0.6


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("baseline", BASELINES, ids="-".join)
def test_no_baseline_tells_the_chosen_side(
    sample_build: Path, corpus: str, baseline: Sequence[str]
) -> None:
    assert right_share(built_pairs(sample_build, corpus), baseline) <= 0.6


@pytest.mark.parametrize("corpus", CORPORA)
def test_each_corpus_has_rows_to_train_on(sample_build: Path, corpus: str) -> None:
    counts = read_json(sample_build / "reports" / "metrics" / "corpora.json")["corpora"][corpus]

    assert counts["strict"]["sft_source_rows"] >= 15
    assert counts["strict"]["pairs"] >= 15


def test_the_split_of_the_sample_leaks_nothing(sample_build: Path) -> None:
    splits = read_json(sample_build / "reports" / "metrics" / "splits.json")

    assert splits["rule"] == "grouped_random"
    assert not any(splits["leaks"].values())


def test_the_sample_may_be_published(sample_build: Path) -> None:
    facts = read_json(sample_build / "reports" / "metrics" / "ingest.json")

    assert (facts["licence"], facts["may_be_published"]) == ("CC0-1.0", True)


def test_the_card_says_that_the_sample_is_synthetic() -> None:
    card = SAMPLE.with_name("README.md").read_text(encoding="utf-8")

    assert "synthetic: true" in card
    assert "no human rater" in card.lower()
