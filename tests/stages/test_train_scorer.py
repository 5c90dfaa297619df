from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.embeddings import CACHE, CachedEmbedder, MiniLm
from pipeline.features.pairs import read_pairs
from pipeline.features.table import read_features
from pipeline.params import load_params
from pipeline.records import FinalLabel, Response
from pipeline.scoring.features import combination
from pipeline.scoring.predict import score_pairs
from pipeline.stages import featurize, train_scorer
from pipeline.storage import read_json, read_table, write_table
from pipeline.workspace import PROJECT

pytestmark = pytest.mark.slow
SOURCE = Path("responses") / "source.parquet"


@pytest.fixture(scope="module")
def trained(sample_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample's features, its scorer and their figures."""
    return train(tmp_path_factory.mktemp("scorer"), sample_build / "datasets", SOURCE)


def train(out: Path, datasets: Path, responses: Path) -> Path:
    params = load_params(PROJECT / "params.yaml")
    exchanges, responses = datasets / "exchanges.parquet", datasets / responses
    write_table(out / "labels.parquet", FinalLabel, [])
    featurize.run(
        params.featurize,
        None,
        params.llm.budget,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        labels=out / "labels.parquet",
        out=out / "features.parquet",
        embeddings=PROJECT / CACHE,
    )
    train_scorer.run(
        params.train_scorer,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        features=out / "features.parquet",
        splits=datasets / "splits.parquet",
        out=out / "scorer",
        metrics=out / "metrics.json",
        embeddings=PROJECT / CACHE,
    )
    return out


def test_every_response_of_the_sample_is_described(trained: Path) -> None:
    table = read_features(trained / "features.parquet")

    assert len(table.ids) == 288
    for family in ("text", "MiniLM", "MITI", "MITI coded", "type", "length"):
        assert not np.isnan(combination(table, family).values).any()


def test_the_scorer_stands_beside_its_null_baselines(trained: Path) -> None:
    figures = read_json(trained / "metrics.json")

    assert set(figures["nulls"]) == {"none", "type", "length"}
    assert figures["train"] + figures["test"] == 288
    assert figures["scorer"]["qwk"] > max(one["qwk"] for one in figures["nulls"].values())


def test_a_saved_scorer_scores_responses_with_their_reasons(
    trained: Path, sample_build: Path
) -> None:
    datasets = sample_build / "datasets"
    pairs = read_pairs(datasets / "exchanges.parquet", datasets / "responses" / "source.parquet")[
        :30
    ]

    scores = list(score_pairs(pairs, trained / "scorer", CachedEmbedder(MiniLm(), PROJECT / CACHE)))

    assert [one.id for one in scores] == [response.id for _, response in pairs]
    assert all(sum(one.probabilities.values()) == pytest.approx(1, abs=1e-3) for one in scores)
    assert all(one.reasons for one in scores)
    assert any(one.value is not None for one in scores)


def test_a_corpus_that_nobody_coded_has_a_scorer_without_codes(
    sample_build: Path, tmp_path: Path
) -> None:
    datasets = sample_build / "datasets"
    rated = [
        one.model_copy(update={"codes": None}) for one in read_table(datasets / SOURCE, Response)
    ]
    write_table(tmp_path / "uncoded.parquet", Response, rated)

    train(tmp_path, datasets, tmp_path / "uncoded.parquet")

    pairs = read_pairs(datasets / "exchanges.parquet", tmp_path / "uncoded.parquet")[:3]
    scores = score_pairs(pairs, tmp_path / "scorer", CachedEmbedder(MiniLm(), PROJECT / CACHE))
    assert all(sum(one.probabilities.values()) == pytest.approx(1, abs=1e-3) for one in scores)
    assert not (tmp_path / "scorer" / "coder.skops").exists()
