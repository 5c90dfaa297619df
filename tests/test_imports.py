"""Who may import whom, and that importing the command line costs next to nothing."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from setuptools import find_packages

from pipeline.workspace import PROJECT

HEAVY = (
    "accelerate", "argilla", "cleanlab", "datasets", "dvc", "great_expectations", "jinja2", "numpy",
    "openai", "pandas", "peft", "pyarrow", "pydantic", "rensa", "requests", "scipy", "sklearn",
    "torch", "transformers", "trl", "yaml",
)  # fmt: skip


def _python(code: str, cwd: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True
    )


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    loaded = set(_python("import sys, pipeline.cli; print(*sys.modules)").stdout.split())

    assert loaded.isdisjoint(HEAVY)


def test_importing_all_of_the_package_and_the_studies_does_nothing_else() -> None:
    code = (
        "import pkgutil, importlib, pipeline, studies\n"
        "for package in (pipeline, studies):\n"
        "    for _, name, _ in pkgutil.walk_packages(package.__path__, f'{package.__name__}.'):\n"
        "        if not name.endswith('__main__') and '.local_argilla.server.' not in name:\n"
        "            importlib.import_module(name)\n"
    )

    done = _python(code)

    assert (done.stdout, done.stderr) == ("", "")


def test_what_is_installed_holds_no_study() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    setuptools = project["tool"]["setuptools"]
    packages = find_packages(str(PROJECT), include=setuptools["packages"]["find"]["include"])

    assert "pipeline.stages" in packages
    assert [name for name in packages if "studies" in name] == []
    assert "studies" not in str(setuptools["package-data"])


def test_the_package_on_the_path_is_this_checkout() -> None:
    assert Path(str(import_module("pipeline").__file__)).is_relative_to(PROJECT)


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "manager"])
def test_no_module_has_a_name_that_says_nothing(name: str) -> None:
    assert list((PROJECT / "pipeline").rglob(f"{name}*.py")) == []
