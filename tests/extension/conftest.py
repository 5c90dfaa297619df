"""Packages that are installed as far as Python can tell: their metadata is on the path."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "package"

# (group, name, value) of an entry point.
Entry = tuple[str, str, str]


def write_metadata(folder: Path, name: str, version: str, entries: list[Entry]) -> None:
    """Write what an installer would leave in `folder` for a package."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"[distillery.{group}]\n{name} = {value}\n" for group, name, value in entries]
    (info / "entry_points.txt").write_text("".join(lines))


@pytest.fixture
def modules() -> Iterator[None]:
    """Forget the modules that a test imports of packages that are gone after it."""
    yield
    for name in list(sys.modules):
        if name.partition(".")[0] in ("warm_words", "odd_words", "other_words"):
            del sys.modules[name]


@pytest.fixture
def warm_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modules: None) -> Path:
    """Install the package of this folder, and return its modules' folder."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = [
        (group.removeprefix("distillery."), name, value)
        for group, values in project["entry-points"].items()
        for name, value in values.items()
    ]
    site = tmp_path / "site-warm-words"
    write_metadata(site, project["name"], project["version"], entries)
    monkeypatch.syspath_prepend(site)
    monkeypatch.syspath_prepend(PACKAGE)
    return PACKAGE / "warm_words"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modules: None) -> Callable[..., Path]:
    """Return a function that installs a package of one module, and returns its file."""

    def make(code: str, entries: Mapping[tuple[str, str], str], *, name: str = "odd-words") -> Path:
        site = tmp_path / f"site-{name}"
        module = name.replace("-", "_")
        listed = [(group, entry, f"{module}:{value}") for (group, entry), value in entries.items()]
        write_metadata(site, name, "1.0", listed)
        file = site / f"{module}.py"
        file.write_text(code, encoding="utf-8")
        monkeypatch.syspath_prepend(site)
        return file

    return make
