from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.features.context import context_tables
from pipeline.features.pairs import read_pairs
from pipeline.features.presence import presence_table
from pipeline.features.table import join, write_features
from pipeline.records import ModelRating
from pipeline.stages import evaluate_scorers
from pipeline.stages.evaluate_scorers import EvaluateScorersParams, Protocol
from pipeline.storage import read_json, write_json, write_table

PARAMS = EvaluateScorersParams.model_validate(
    {
        "splits": 20,
        "test_share": 0.2,
        "trials": [
            {"features": "text", "model": "ordinal", "raters": "mixed"},
            {"features": "endpoint:none", "model": "LR"},
        ],
        "published_features": ["length", "MITI"],
    }
)
REASON = "the model's ratings mean nothing"
RATERS = {
    "model": "somebody",
    "raters": {"naive": {"excluded": None}, "dimensions": {"excluded": REASON}},
}


@pytest.fixture(scope="module")
def folder(sample_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with features of the sample, and a rater who is right but for every fifth."""
    out, datasets = tmp_path_factory.mktemp("evaluated"), sample_build / "datasets"
    pairs = read_pairs(datasets / "exchanges.parquet", datasets / "responses" / "source.parquet")
    responses = [response for _, response in pairs]
    tables = [
        *context_tables(pairs, None),
        presence_table("published", [(one.id, one.codes) for one in responses]),
    ]
    write_features(out / "features.parquet", join(tables, [one.id for one in responses]))
    rows = [
        ModelRating(
            response_id=one.id,
            rater=rater,
            model="somebody",
            aspect="rating",
            value=(one.rating or 1) if number % 5 else 2,
            excluded=why,
        )
        for rater, why in (("naive", None), ("dimensions", REASON))
        for number, one in enumerate(responses)
        if number % 10
    ]
    write_table(out / "ratings.parquet", ModelRating, rows)
    write_json(out / "raters.json", RATERS)
    return out


def evaluated(protocol: Protocol, folder: Path, build: Path) -> dict[str, Any]:
    evaluate_scorers.run(
        protocol,
        PARAMS,
        seed=0,
        exchanges=build / "datasets" / "exchanges.parquet",
        responses=build / "datasets" / "responses" / "source.parquet",
        features=folder / "features.parquet",
        ratings=folder / "ratings.parquet",
        raters=folder / "raters.json",
        out=folder / f"{protocol}.json",
    )
    figures: dict[str, Any] = read_json(folder / f"{protocol}.json")
    return figures


@pytest.fixture(scope="module")
def honest(folder: Path, sample_build: Path) -> dict[str, Any]:
    return evaluated("honest", folder, sample_build)


def row(figures: dict[str, Any], features: str, metric: str) -> dict[str, Any]:
    [found] = [
        one for one in figures["rows"] if (one["features"], one["metric"]) == (features, metric)
    ]
    return dict(found)


def test_every_scorer_stands_beside_the_nulls_with_an_interval_of_twenty_splits(
    honest: dict[str, Any],
) -> None:
    for features in ("none", "type", "length", "text"):
        for metric in ("accuracy", "macro_f1", "qwk", "calibration_error"):
            found = row(honest, features, metric)
            assert found["splits"] == 20
            assert found["ci"][0] <= found["mean"] <= found["ci"][1]
    assert [one["ours"] for one in honest["against the best null"][:1]] == [
        "text: ordinal, leniency removed by a mixed model"
    ]
    assert "p" in honest["against the best null"][0]


def test_a_rater_model_is_a_row_of_the_same_table(honest: dict[str, Any]) -> None:
    assert row(honest, "rated naive", "accuracy")["mean"] > 0.8
    assert row(honest, "rated naive", "share not rated")["mean"] == pytest.approx(0.1, abs=0.03)


def test_what_enters_no_metric_is_named_with_its_reason(honest: dict[str, Any]) -> None:
    reasons = {one["features"]: one["reason"] for one in honest["excluded"]}

    assert reasons["rated dimensions"] == REASON
    assert "the table has none of endpoint:none" in reasons["endpoint:none"]
    assert not [one for one in honest["rows"] if one["features"] == "rated dimensions"]


def test_the_published_protocol_selects_on_its_test_part(folder: Path, sample_build: Path) -> None:
    figures = evaluated("published", folder, sample_build)
    models = {one["model"] for one in figures["rows"] if one["features"] == "MITI"}

    assert {"LR", "SVC", "DT", "RF", "MLP", "RFE k=1, LR", "KBest k=15, LR"} <= models
    assert figures["responses"] % 3 == 0
    assert 0 < figures["test_rows_whose_dialogue_is_in_training"] <= 1
