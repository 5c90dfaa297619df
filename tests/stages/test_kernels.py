"""What is trained on the sample says the same under every kernel that a processor can run.

`.ci/kernels` runs this under one after the other; what is trained is compared with the fingerprints
that are in git.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from pipeline.params import load_params
from pipeline.records import FinalLabel
from pipeline.stages import featurize, train_reward, train_scorer
from pipeline.storage import write_table
from pipeline.workspace import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.kernel]
OUTPUTS = ("features.parquet", "scorer", "reward")


def train(datasets: Path, out: Path) -> None:
    """Describe the sample and train on it, with embeddings of this kernel and no other."""
    params = load_params(PROJECT / "params.yaml")
    read = {
        "exchanges": datasets / "exchanges.parquet",
        "responses": datasets / "responses" / "source.parquet",
        "labels": out / "labels.parquet",
        "embeddings": out / "embeddings.sqlite",
    }
    write_table(read["labels"], FinalLabel, [])
    featurize.run(
        params.featurize,
        None,
        params.llm.budget,
        seed=params.seed,
        out=out / "features.parquet",
        **read,
    )
    train_scorer.run(
        params.train_scorer,
        seed=params.seed,
        features=out / "features.parquet",
        splits=datasets / "splits.parquet",
        out=out / "scorer",
        metrics=out / "metrics" / "scorer.json",
        **read,
    )
    (out / "preferences").mkdir()
    train_reward.run(
        params.train_reward,
        seed=params.seed,
        splits=datasets / "splits.parquet",
        preferences=out / "preferences",
        out=out / "reward",
        metrics=out / "metrics" / "reward.json",
        **read,
    )


def test_what_is_trained_here_says_what_the_committed_build_says(
    sample_build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(PROJECT / ".ci")
    fingerprints = importlib.import_module("fingerprints")
    accepted = json.loads((PROJECT / ".ci" / "fingerprints.json").read_text())["files"]
    train(sample_build / "datasets", tmp_path)
    monkeypatch.chdir(tmp_path)

    for output in OUTPUTS:
        found = {
            f"datasets/{name}": one for name, one in fingerprints.fingerprint(Path(output)).items()
        }
        assert list(fingerprints.apart({n: accepted[n] for n in found}, found)) == []
    for name in ("scorer", "reward"):
        committed = json.loads((PROJECT / "reports" / "metrics" / f"{name}.json").read_text())
        here = json.loads(Path("metrics", f"{name}.json").read_text())
        assert list(fingerprints.differences(committed, here, name)) == []
