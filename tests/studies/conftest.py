"""The command line of the studies."""

from __future__ import annotations

from functools import partial

import pytest

from pipeline.cli import main
from studies.__main__ import app
from tests.cli.command import Cli


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return `python -m studies` as a function of its arguments."""
    monkeypatch.delenv("DISTILLERY_OFFLINE", raising=False)
    return Cli(monkeypatch, capsys, partial(main, app))
