"""A build to export."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exports.corpus import small_build


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Return the folder of a small build."""
    return small_build(tmp_path / "build")
