"""A tiny base model for the tests of students, and students that nothing disturbed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.student.teach import Taught
from tests.student.lessons import dpo, sft
from tests.tiny import tiny_base


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny base model; not to be changed."""
    return tiny_base(tmp_path_factory.mktemp("base") / "base_model")


@pytest.fixture(scope="session")
def undisturbed(
    base: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Taught, Taught]:
    """Return the folder of a student whose trainings nothing disturbed, and what they said."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, sft(base, folder), dpo(base, folder)
