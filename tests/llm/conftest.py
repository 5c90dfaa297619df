"""Fixtures of the tests that ask somebody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mock_endpoint import Behaviour, Handle, running


@pytest.fixture
def endpoint() -> Iterator[Handle]:
    """Return a running endpoint; a test sets `endpoint.behaviour` as it needs."""
    with running(Behaviour()) as handle:
        yield handle


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Return where a ledger may be made."""
    return tmp_path / "ledger.sqlite"
