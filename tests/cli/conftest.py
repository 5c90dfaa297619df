"""The command line, and a project folder to run it in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.workspace import PROJECT
from tests.cli.command import Cli


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return the command line as a function of its arguments."""
    monkeypatch.delenv("DISTILLERY_OFFLINE", raising=False)
    monkeypatch.delenv("DISTILLERY_STATUS_FILE", raising=False)
    return Cli(monkeypatch, capsys)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: our params.yaml, dvc.yaml and sample, and nothing else."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    (tmp_path / "datasets").mkdir()
    shutil.copytree(PROJECT / "datasets" / "sample", tmp_path / "datasets" / "sample")
    monkeypatch.chdir(tmp_path)
    return tmp_path
