from pathlib import Path

import pytest

from pipeline.validation.tables import BuildPaths
from tests.validation.builds import write_build


@pytest.fixture
def build(tmp_path: Path) -> BuildPaths:
    return write_build(tmp_path)
