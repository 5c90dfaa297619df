"""Folders of before there were markers are known by what they hold, and a person's are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.annotation.local_argilla import install
from pipeline.annotation.local_argilla.home import home_at
from pipeline.audit.run import is_audit
from pipeline.errors import TargetError
from pipeline.reporting.cards.writing import _are_cards
from pipeline.student.base_model import _is_base
from pipeline.student.teach import _is_adapter

ADAPTER = {
    "base": "tiny",
    "base_sha256": "0",
    "parents": [],
    "sha256": "0",
    "licence": "CC0-1.0",
    "rows": 1,
    "data": "0",
}
BASE = {"name": "tiny", "licence": "MIT", "sha256": "0", "parameters": 1, "layers": 1}
HELD: dict[str, tuple[Callable[[Path], bool], dict[str, str]]] = {
    "cards": (
        _are_cards,
        {"direct.md": "", "direct.croissant.json": "{}", "models/base.md": ""},
    ),
    "base model": (
        _is_base,
        {"base_model.json": json.dumps(BASE), "model.safetensors": "", "config.json": "{}"},
    ),
    "adapter": (
        _is_adapter,
        {"adapter.json": json.dumps(ADAPTER), "adapter_model.safetensors": ""},
    ),
    "audit": (is_audit, {"index.html": "", "findings.parquet": "", "summary.json": ""}),
    "environment": (install._is_ours, {"distillery-lock.txt": "", "pyvenv.cfg": ""}),
}


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("kind", HELD)
def test_what_an_earlier_version_wrote_is_known(tmp_path: Path, kind: str) -> None:
    known, files = HELD[kind]

    assert known(lay(tmp_path / "out", files))


@pytest.mark.parametrize("kind", HELD)
def test_a_part_of_it_or_notes_of_a_person_are_not(tmp_path: Path, kind: str) -> None:
    known, files = HELD[kind]
    (first, text), *_ = files.items()

    assert not known(lay(tmp_path / "part", {first: text}))
    assert not known(lay(tmp_path / "notes", {"a.md": "mine", "models/b.md": "mine"}))
    assert not known(lay(tmp_path / "json", {first: "[]", "adapter_model.safetensors": ""}))


@pytest.mark.parametrize("kind", ["cards", "audit"])
def test_a_file_more_is_not_ours(tmp_path: Path, kind: str) -> None:
    known, files = HELD[kind]

    assert not known(lay(tmp_path / "out", {**files, "thesis.txt": "years of work"}))


def test_an_environment_of_somebody_else_is_not_ours(tmp_path: Path) -> None:
    home = home_at(tmp_path / "home", lay(tmp_path / "venv", {"pyvenv.cfg": "", "bin/python": ""}))

    with pytest.raises(TargetError, match="venv: not empty, and not made by this command"):
        install.check_place(home)


def test_an_environment_half_made_by_a_killed_install_is_ours(tmp_path: Path) -> None:
    home = home_at(tmp_path / "home")
    with install._folder(home):
        pass
    lay(home.venv, {"pyvenv.cfg": "", "lib/half": ""})

    install.check_place(home)
