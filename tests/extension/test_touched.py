"""What CONTRIBUTING and docs/extending.md say is what stands in the code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.extensions import GROUPS
from pipeline.workspace import PROJECT


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/extending.md"])
def test_the_tables_are_fresh(page: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", page],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_is_on_the_page(group: str) -> None:
    page = (PROJECT / "docs" / "extending.md").read_text(encoding="utf-8")

    assert f"`distillery.{group}`" in page
