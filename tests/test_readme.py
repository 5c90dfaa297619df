"""The generated parts of the README are up to date, and what it points to is there."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from pipeline.sources import SOURCES
from pipeline.workspace import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")


def test_the_generated_parts_are_what_they_would_be_now() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "README.md"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)

    assert links
    assert [link for link in links if not (PROJECT / link).exists()] == []


@pytest.mark.parametrize("word", sorted(set(re.findall(r"make ([a-z]+)", README))))
def test_every_habit_it_names_is_in_the_makefile(word: str) -> None:
    assert re.search(rf"^{word}:", MAKEFILE, flags=re.MULTILINE)


def test_the_sources_that_it_fetches_are_known() -> None:
    named = set(re.findall(r"distillery fetch ([a-z0-9_]+)", README))

    assert named
    assert named <= set(SOURCES)


@pytest.mark.parametrize("habit", ["repro", "test"])
def test_both_commands_are_on_its_first_screen(habit: str) -> None:
    assert f"make {habit}" in "\n".join(README.splitlines()[:12])
