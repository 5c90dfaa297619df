"""Fixtures that more than one package's tests use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.params import load_params
from pipeline.workspace import PROJECT
from tests.builds import SAMPLE, build, params_for

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the real corpora, or skip the test."""
    named = os.environ.get("DISTILLERY_DATA")
    folder = Path(named) if named else PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data is not on this machine (set DISTILLERY_DATA to its folder)")
    return folder.resolve()


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything built from the embedded sample; not to be changed."""
    params = load_params(PROJECT / "params.yaml")
    at_home = params.ingest.model_copy(update={"path": SAMPLE})
    folder = tmp_path_factory.mktemp("sample")
    return build(params.model_copy(update={"ingest": at_home}), folder)


@pytest.fixture(scope="session")
def welivita2024_build(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything built from the 2,000 rated dialogues; not to be changed."""
    folder = tmp_path_factory.mktemp("welivita2024")
    raw = data_dir / "welivita2024" / "dataset.csv"
    return build(params_for("welivita2024", raw, folder), folder)
