"""A tiny base model for the tests of students."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import tiny_base


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny base model; not to be changed."""
    return tiny_base(tmp_path_factory.mktemp("base") / "base_model")
