from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.features.embeddings import CACHE
from pipeline.features.table import FeatureTable, read_features
from pipeline.llm import Budget, EmbedderRole
from pipeline.records import FinalLabel
from pipeline.scoring.features import combination
from pipeline.stages import featurize
from pipeline.storage import write_table
from pipeline.workspace import PROJECT
from tests.mock_endpoint import Behaviour, Handle, running

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLERY_HOME", str(tmp_path / "home"))


def described(build: Path, folder: Path, url: str) -> FeatureTable:
    """Return the sample's features with an endpoint's vectors among them."""
    write_table(folder / "labels.parquet", FinalLabel, [])
    role = EmbedderRole(
        engine="openai", base_url=url, model="mock-embeddings", pace={"max_wait_s": 0.02}
    )
    featurize.run(
        featurize.FeaturizeParams(coder_folds=2),
        role,
        Budget(),
        seed=0,
        exchanges=build / "datasets" / "exchanges.parquet",
        responses=build / "datasets" / "responses" / "source.parquet",
        labels=folder / "labels.parquet",
        out=folder / "features.parquet",
        embeddings=PROJECT / CACHE,
    )
    return read_features(folder / "features.parquet")


@pytest.fixture
def endpoint() -> Iterator[Handle]:
    with running(Behaviour()) as handle:
        yield handle


def test_an_endpoints_vectors_are_a_family_of_features(
    sample_build: Path, tmp_path: Path, endpoint: Handle
) -> None:
    table = described(sample_build, tmp_path, endpoint.base_url)
    calls = endpoint.tally.calls
    described(sample_build, tmp_path, endpoint.base_url)

    vectors = combination(table, "endpoint:mock-embeddings").values
    assert vectors.shape == (288, 8)
    assert not np.isnan(vectors).any()
    assert endpoint.tally.calls == calls == 5


def test_a_text_that_the_endpoint_refuses_has_missing_features_not_noughts(
    sample_build: Path, tmp_path: Path, endpoint: Handle
) -> None:
    endpoint.behaviour.poison = "Hopefully it's nothing."
    endpoint.behaviour.poison_status = "400"

    vectors = combination(
        described(sample_build, tmp_path, endpoint.base_url), "endpoint:mock-embeddings"
    ).values

    assert np.isnan(vectors).all(axis=1).sum() == np.isnan(vectors).any(axis=1).sum() == 1


def test_vectors_that_nobody_asked_for_are_an_error_that_says_how(
    sample_build: Path, tmp_path: Path, endpoint: Handle
) -> None:
    table = described(sample_build, tmp_path, endpoint.base_url)

    with pytest.raises(PipelineError, match=r"none of endpoint:other\nSet llm.embedder to other"):
        combination(table, "endpoint:other")
