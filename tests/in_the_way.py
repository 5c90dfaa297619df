"""What a person may have at a path that a command is told to write."""

from __future__ import annotations

from pathlib import Path


def a_file(path: Path) -> None:
    path.write_text("years of work")


def a_folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("years of work")


def a_link(path: Path) -> None:
    (path.parent / "there").mkdir()
    path.symlink_to(path.parent / "there")
