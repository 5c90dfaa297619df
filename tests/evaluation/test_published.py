"""The scoring paper's table, on the paper's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.evaluation.published import (
    PublishedResult,
    PublishedSplit,
    reproduce_selection,
    reproduce_table,
)
from pipeline.features.table import FeatureTable
from pipeline.scoring.classifiers import CLASSIFIERS
from pipeline.scoring.rated import RatedSet
from studies.scoring.data import load

pytestmark = pytest.mark.kernel

Published = tuple[RatedSet, FeatureTable]
HEADLINE = {
    "v2_sympathy",
    "v2_encouragement",
    "published_open_question",
    "published_advise_with_permission",
    "published_affirm",
    "published_emphasize_autonomy",
    "published_support",
    "published_confront",
    "published_direct",
    "published_warn",
}


@pytest.fixture(scope="module")
def published(data_dir: Path) -> Published:
    return load(data_dir, None).published


@pytest.fixture(scope="module")
def cells(published: Published) -> dict[tuple[str, str], PublishedResult]:
    results = reproduce_table(*published, models=("LR", "SVC"))
    return {(result.features, result.model): result for result in results}


@pytest.mark.parametrize(
    ("features", "model", "percent"),
    [
        ("MITI", "LR", 44.01),
        ("MITI", "SVC", 44.79),
        ("15V2", "LR", 49.48),
        ("15V2", "SVC", 51.30),
        ("15V2+MITI", "LR", 49.74),
        ("15V2+MITI", "SVC", 50.00),
    ],
)
def test_each_cell_of_the_papers_table_is_reproduced(
    cells: dict[tuple[str, str], PublishedResult], features: str, model: str, percent: float
) -> None:
    cell = cells[features, model]

    assert cell.tested == 384
    assert round(100 * cell.accuracy, 2) == percent


@pytest.mark.slow
def test_the_headline_is_the_best_of_thirty_on_the_test_part_give_or_take_one_item(
    published: Published,
) -> None:
    results = reproduce_selection(*published, order="RFE")
    best = max(results, key=lambda result: result.accuracy)

    # The published recipe's solver stops before it converges: one item of 384 is on the edge, and
    # falls to either side by how the processor at hand rounds sums. 53.65 or 53.39 per cent.
    assert right(best) in {206, 205}
    assert len(results) == 30
    assert set(best.selected) == HEADLINE


def test_solved_to_the_end_the_headline_is_205_items_on_every_processor(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.linear_model import LogisticRegression

    monkeypatch.setitem(
        CLASSIFIERS,
        "LR",
        lambda seed: LogisticRegression(solver="newton-cholesky", tol=1e-10, random_state=seed),
    )
    results = reproduce_selection(*published, order="RFE")
    best = max(results, key=lambda result: result.accuracy)

    assert right(best) == 205
    assert set(best.selected) == HEADLINE
    assert [right(result) for result in results[:12]] == [
        *(127, 142, 181, 181, 179, 175, 182, 182, 183, 205, 203, 195)
    ]


def right(result: PublishedResult) -> int:
    """Return how many items of the test part it met."""
    return round(result.accuracy * result.tested)


def test_five_best_single_features_give_the_papers_figure(published: Published) -> None:
    fifth = reproduce_selection(*published, order="KBest")[4]

    assert fifth.model == "KBest k=5, LR"
    assert round(100 * fifth.accuracy, 2) == 51.56


def test_the_published_split_puts_dialogues_on_both_sides(published: Published) -> None:
    rated, _ = published

    assert round(PublishedSplit.of(rated).shared_dialogues(rated), 3) == 0.435
