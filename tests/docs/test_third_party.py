"""THIRD_PARTY.md is current, and nothing that is needed at run time is under the GPL alone."""

from __future__ import annotations

import os
import subprocess
import sys
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from docs.programs.third_party import (
    REVIEWED,
    UNKNOWN,
    NotInstalledError,
    closure,
    licence_of,
    needs_copyleft,
    normalised,
    packages,
    pinned,
    wanted_by,
)
from pipeline.workspace import PROJECT

LOCK = pinned(PROJECT / "requirements.lock")
NEEDED = closure(PROJECT / "pyproject.toml")


def test_no_package_of_the_run_time_can_be_had_under_the_gpl_alone() -> None:
    found = packages(NEEDED, LOCK)

    assert len(found) > 100
    assert [one.name for one in found if needs_copyleft(one.licence)] == []


def test_the_licence_of_every_package_of_the_run_time_is_known() -> None:
    assert [one.name for one in packages(NEEDED, LOCK) if one.licence == UNKNOWN] == []


def test_gpl_packages_of_the_tests_are_seen_as_such() -> None:
    found = {one.name: one for one in packages(["krippendorff"], LOCK)}

    assert needs_copyleft(found["krippendorff"].licence)
    assert "krippendorff" not in NEEDED


@pytest.mark.parametrize("name", sorted(set(REVIEWED) & NEEDED))
def test_a_person_speaks_only_where_the_package_itself_does_not(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewed, _ = licence_of(name, metadata.distribution(name))
    monkeypatch.delitem(REVIEWED, name)

    assert licence_of(name, metadata.distribution(name))[0] != reviewed


def test_mlcroissant_says_nothing_of_its_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(REVIEWED, "mlcroissant")

    found = licence_of("mlcroissant", metadata.distribution("mlcroissant"))

    assert found == (UNKNOWN, "nothing")


def test_pygit2_comes_with_dvc_and_states_its_exception() -> None:
    askers = wanted_by(PROJECT / "pyproject.toml")
    copying = metadata.distribution("pygit2").read_text("licenses/COPYING") or ""

    assert askers["pygit2"] == {"scmrepo"}
    assert "dvc" in askers["scmrepo"]
    assert "unlimited permission to link" in " ".join(copying.split())


WITHOUT_PYGIT2 = """
import sys

sys.modules["pygit2"] = None  # importing it is an error now
from dvc.cli import main

for command in (["repro", "--quiet"], ["status"], ["commit", "--quiet", "--force"], ["checkout"]):
    if code := main(command):
        sys.exit(f"{command}: {code}")
"""


@pytest.mark.slow
def test_a_build_runs_where_pygit2_cannot_be_imported(tmp_path: Path) -> None:
    for command in (["git", "init", "--quiet"], [sys.executable, "-m", "dvc", "init", "--quiet"]):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "dvc.yaml").write_text('stages: {a: {cmd: "echo 1 > a.txt", outs: [a.txt]}}')

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYGIT2],
        cwd=tmp_path,
        env={**os.environ, "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.txt").read_text() == "1\n"


def test_everything_that_is_needed_at_run_time_is_pinned() -> None:
    # pip freeze leaves out what belongs to a fresh environment.
    assert sorted(NEEDED - set(LOCK) - {"setuptools", "pip"}) == []


def test_the_page_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "THIRD_PARTY.md"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("expression", "needs"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("LGPL-2.1-only", False),
        ("MIT", False),
        ("EPL-2.0 OR GPL-2.0-or-later", False),
        ("MIT AND GPL-2.0-only", True),
        ("GPL-2.0-only WITH GCC-exception-2.0", False),
        ("(MIT OR GPL-2.0-only) AND Apache-2.0", False),
        ("MIT AND (GPL-2.0-only OR AGPL-3.0-only)", True),
    ],
)
def test_a_choice_needs_the_gpl_only_if_both_sides_do(expression: str, needs: bool) -> None:
    assert needs_copyleft(expression) is needs


class Installed(metadata.Distribution):
    """A package whose metadata say what a test gives, with one licence file."""

    def __init__(self, text: str = "", **fields: str) -> None:
        self._about = Message()
        for name, value in fields.items():
            self._about[name.replace("_", "-")] = value
        self._text = text

    @property
    def metadata(self) -> Any:
        return self._about

    @property
    def files(self) -> Any:
        text = self._text

        class File(metadata.PackagePath):
            def read_text(self, encoding: str = "utf-8") -> str:
                return text

        return [File("x-1.0.dist-info/LICENSE")] if text else []

    def read_text(self, filename: str) -> None:
        return None

    def locate_file(self, path: Any) -> Any:
        return path


BSD = "Redistributions in binary form must reproduce the above. Neither the name of the holder ..."
MIT = "Permission is hereby granted, free of charge, to any person"


@pytest.mark.parametrize(
    ("installed", "licence"),
    [
        (Installed(License_Expression="MIT AND PSF-2.0", License="BSD"), "MIT AND PSF-2.0"),
        (Installed(License="Apache License, Version 2.0"), "Apache-2.0"),
        (Installed(License="MPL-2.0 AND MIT"), "MPL-2.0 AND MIT"),
        (Installed(BSD, License="BSD"), "BSD-3-Clause"),
        (Installed(f"{MIT} {BSD}", License="BSD"), "BSD-3-Clause"),
        (Installed(MIT), "MIT"),
        (Installed(Classifier="License :: OSI Approved :: MIT License"), "MIT"),
        (Installed(License="Do what you like"), UNKNOWN),
    ],
)
def test_a_licence_is_read_from_the_best_that_a_package_states(
    installed: Installed, licence: str
) -> None:
    assert licence_of("x", installed)[0] == licence


def test_names_are_compared_as_the_index_does() -> None:
    assert normalised("Ruamel_yaml.clib") == "ruamel-yaml-clib"


def test_a_package_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(NotInstalledError, match="no-such-package: not installed\nRun `make venv`"):
        packages(["no-such-package"], {})
