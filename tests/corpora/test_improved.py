"""Corpora of methods 2 and 3, one exchange at a time."""

from __future__ import annotations

import pytest

from pipeline.corpora.improved import (
    draw_supervised,
    human_examples,
    human_pairs,
    llm_examples,
    llm_pairs,
)
from pipeline.corpora.params import HumanCorpus, LlmCorpus
from pipeline.records import PreferencePair, Rejection, SFTExample
from tests.examples import LOST_JOB, PROMPT, candidate

HUMAN = HumanCorpus(method="human", responses="human-naive")
LLM = LlmCorpus(method="llm", responses="llm-naive")
DRAWN = frozenset({LOST_JOB.id})


def human_rated(rating: int | None, *, improved: bool = True) -> dict[str, int | None]:
    return {"human": rating, **({"human-naive": None} if improved else {})}


def test_a_good_reference_and_its_better_version_are_both_targets() -> None:
    rows = list(human_examples(candidate(human_rated(3)), HUMAN, reference="human", prompt=PROMPT))

    assert all(isinstance(row, SFTExample) for row in rows)
    assert [row.response_id for row in rows] == [
        "response-lost-job-human",
        "response-lost-job-human-naive",
    ]


@pytest.mark.parametrize("rating", [1, 2])
@pytest.mark.parametrize("pair_filter", ["strict", "authors"])
def test_a_weak_reference_is_the_rejected_side(rating: int, pair_filter: str) -> None:
    [pair] = human_pairs(
        candidate(human_rated(rating)),
        HUMAN,
        reference="human",
        pair_filter=pair_filter,
        prompt=PROMPT,
    )

    assert isinstance(pair, PreferencePair)
    assert pair.rejected_id == "response-lost-job-human"
    assert pair.chosen_id == "response-lost-job-human-naive"
    assert (pair.rejected_rating, pair.chosen_rating) == (rating, None)


@pytest.mark.parametrize(
    ("ratings", "sft", "pairs"),
    [
        (human_rated(3), None, "reference_is_good"),
        (human_rated(2), "reference_not_good", None),
        (human_rated(None), "reference_not_rated", "reference_not_rated"),
        (human_rated(3, improved=False), "no_improved_response", "reference_is_good"),
        (human_rated(1, improved=False), "reference_not_good", "no_improved_response"),
        ({}, "not_distilled", "not_distilled"),
    ],
)
def test_what_method_two_leaves_out_has_a_reason(
    ratings: dict[str, int | None], sft: str | None, pairs: str | None
) -> None:
    given = candidate(ratings)
    [first, *_] = human_examples(given, HUMAN, reference="human", prompt=PROMPT)
    [pair] = human_pairs(given, HUMAN, reference="human", pair_filter="strict", prompt=PROMPT)

    assert (first.reason if isinstance(first, Rejection) else None) == sft
    assert (pair.reason if isinstance(pair, Rejection) else None) == pairs


ALL = {"human": 1, "llm-direct": None, "llm-naive": None}


@pytest.mark.parametrize(
    ("corpus", "targets"),
    [
        (LLM, ["llm-direct", "llm-naive"]),
        (LLM.model_copy(update={"m3_sft_targets": "improved"}), ["llm-naive"]),
        (LLM.model_copy(update={"m3_rejected": "authors"}), ["human", "llm-naive"]),
    ],
)
def test_method_three_targets(corpus: LlmCorpus, targets: list[str]) -> None:
    rows = list(
        llm_examples(candidate(ALL), corpus, supervised=DRAWN, reference="human", prompt=PROMPT)
    )

    assert [row.response_id for row in rows] == [f"response-lost-job-{who}" for who in targets]


@pytest.mark.parametrize(
    ("rejected", "pair_filter", "side"),
    [
        ("initial", "strict", "llm-direct"),
        ("initial", "authors", "llm-direct"),
        ("authors", "strict", "llm-direct"),
        ("authors", "authors", "human"),
    ],
)
def test_the_authors_rejected_side_is_only_taken_when_asked_for(
    rejected: str, pair_filter: str, side: str
) -> None:
    [pair] = llm_pairs(
        candidate(ALL),
        LLM.model_copy(update={"m3_rejected": rejected}),
        supervised=frozenset(),
        reference="human",
        pair_filter=pair_filter,
        prompt=PROMPT,
    )

    assert isinstance(pair, PreferencePair)
    assert pair.rejected_id == f"response-lost-job-{side}"


def test_an_exchange_is_in_one_of_the_two_corpora_only() -> None:
    for drawn in (DRAWN, frozenset[str]()):
        given = {"supervised": drawn, "reference": "human", "prompt": PROMPT}
        [first, *_] = llm_examples(candidate(ALL), LLM, **given)
        [pair] = llm_pairs(candidate(ALL), LLM, pair_filter="strict", **given)

        assert isinstance(first, Rejection) != isinstance(pair, Rejection)


def test_the_draw_is_that_of_pandas() -> None:
    import pandas as pd

    ids = [f"exchange-{number}" for number in range(1750)]
    wanted = pd.DataFrame({"id": ids}).sample(950, random_state=42)["id"]

    assert draw_supervised(ids, 950 / 1750, seed=42) == frozenset(wanted)
