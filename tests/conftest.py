"""Fixtures that more than one package's tests use."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.params import load_params
from pipeline.workspace import PROJECT
from tests.builds import SAMPLE, build, params_for

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["DVC_NO_ANALYTICS"] = "1"
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


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a disk with room for 256 KiB, or skip the test."""
    folder = tmp_path_factory.mktemp("disk")
    _mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def make_read_only(small_disk: Path) -> Callable[[], None]:
    """Return what makes the small disk one that takes no writes."""
    return lambda: _mount("-o", "remount,ro", small_disk)


def _mount(*arguments: str | Path) -> None:
    try:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a disk here, which takes root")
