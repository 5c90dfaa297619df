"""What models propose, none of them about a dialogue that it learned from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.features.table import FeatureTable, write_features
from pipeline.records import (
    Exchange,
    FinalLabel,
    ModelRating,
    Response,
    SplitAssignment,
    Suggestion,
)
from pipeline.stages import suggest_labels
from pipeline.stages.suggest_labels import SuggestingScorer, SuggestLabelsParams
from pipeline.storage import read_json, read_json_lines, write_table
from tests.examples import LOST_JOB, response

PARAMS = SuggestLabelsParams(
    scorers=(
        SuggestingScorer(features="length", model="LR"),
        SuggestingScorer(features="text+length", model="LR"),
    ),
    folds=3,
)
LENGTH, BOTH = (scorer.agent for scorer in PARAMS.scorers)
EXCHANGES = [
    LOST_JOB.model_copy(update={"id": f"exchange-{n}", "dialogue_id": f"d{n}"}) for n in range(24)
]


def rated(number: int) -> Response:
    one = response("a", number % 3 + 1, "I am sorry. What now?", exchange=EXCHANGES[number])
    return one.model_copy(update={"codes": ("Support", "Open Question" if number % 2 else "Other")})


RESPONSES = [rated(number) for number in range(24)]


def suggest(
    folder: Path, responses: list[Response] = RESPONSES, ratings: tuple[ModelRating, ...] = ()
) -> tuple[list[Suggestion], dict[str, Any]]:
    """Return what is proposed for 20 train and 4 test responses, and the figures."""
    tables: dict[str, tuple[type[Any], list[Any]]] = {
        "exchanges": (Exchange, EXCHANGES),
        "responses": (Response, responses),
        "splits": (
            SplitAssignment,
            [
                SplitAssignment(
                    exchange_id=one.id,
                    split="train" if n < 20 else "test",
                    group="g",
                    rule="papers",
                )
                for n, one in enumerate(EXCHANGES)
            ],
        ),
        "labels": (FinalLabel, []),
        "ratings": (ModelRating, list(ratings)),
    }
    for name, (kind, rows) in tables.items():
        write_table(folder / f"{name}.parquet", kind, rows)
    values = np.array([[n % 3, n % 5] for n in range(24)], dtype=float)
    table = FeatureTable(tuple(one.id for one in responses), ("length_x", "text_y"), values)
    write_features(folder / "features.parquet", table)
    suggest_labels.run(
        PARAMS,
        seed=0,
        **{name: folder / f"{name}.parquet" for name in [*tables, "features"]},
        out=folder / "suggestions.jsonl",
        metrics=folder / "metrics.json",
        embeddings=folder / "embeddings.sqlite",
    )
    found = list(read_json_lines(folder / "suggestions.jsonl", Suggestion))
    return found, read_json(folder / "metrics.json")


@pytest.mark.slow
def test_scorers_and_coder_propose_for_every_train_response(tmp_path: Path) -> None:
    found, figures = suggest(tmp_path)

    assert figures["agents"] == {"coder": 40, LENGTH: 20, BOTH: 20}
    assert {one.item_id for one in found} == {one.id for one in RESPONSES[:20]}
    ratings = [one for one in found if one.agent == LENGTH]
    by_id = {one.id: one.rating for one in RESPONSES}
    assert all(one.value == by_id[one.item_id] for one in ratings)  # the feature tells it
    for one in ratings:
        assert one.probabilities is not None
        assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-3)
        assert one.score == max(one.probabilities.values())
    codes = Counter(one.value for one in found if one.agent == "coder" and one.sentence == 0)
    assert codes == {("Support",): 20}


def test_a_rater_model_proposes_unless_its_ratings_mean_nothing(tmp_path: Path) -> None:
    said = {"model": "big", "aspect": "rating", "value": 2, "rater": "naive"}
    ratings = (
        ModelRating(response_id=RESPONSES[0].id, **said),
        ModelRating(response_id=RESPONSES[1].id, **said, excluded="it says the same of all"),
        ModelRating(response_id=RESPONSES[2].id, **{**said, "aspect": "warmth", "value": 9}),
        ModelRating(response_id=RESPONSES[23].id, **said),
    )

    found, figures = suggest(tmp_path, ratings=ratings)

    assert figures["agents"]["rater big: naive"] == 1
    (one,) = (row for row in found if row.agent == "rater big: naive")
    assert (one.item_id, one.value) == (RESPONSES[0].id, 2)


def test_without_ratings_and_codes_nothing_is_proposed_and_the_figures_say_why(
    tmp_path: Path,
) -> None:
    bare = [one.model_copy(update={"rating": None, "codes": None}) for one in RESPONSES]

    found, figures = suggest(tmp_path, bare)

    assert found == []
    assert figures["agents"] == {
        "coder": "not available",
        LENGTH: "not available: no response is rated",
        BOTH: "not available: no response is rated",
    }
