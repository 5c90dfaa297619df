"""The table in CONTRIBUTING.md of what must be touched to add something, counted in the code."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline import sources, strategies
from pipeline.audit import detectors
from pipeline.evaluation import judge_kinds
from pipeline.exports import formats
from pipeline.prompts.template import TEMPLATES
from pipeline.reporting.door import sections

PROJECT = Path(detectors.__file__).parents[2]
OWN = PROJECT / "tests" / "extension" / "package"


def table() -> str:
    """Return per kind of thing the files that the least one stands in, here and outside."""
    outside = _of_a_package()
    rows = [
        ("detector", "detectors", _detector_files()),
        ("source", "sources", _source_files()),
        ("strategy", "strategies", _strategy_files()),
        ("judge", "judges", [_files(judge_kinds)]),
        ("export format", "export_formats", [_files(formats)]),
        ("stage", None, _stage_files()),
        ("page section", None, _section_files()),
    ]
    lines = ["", "| to add a | touch here | in a package of your own |", "|---|---|---|"]
    for kind, group, found in rows:
        files = min(found, key=lambda files: (len(files), sorted(files)))
        own = _cell(outside[group]) if group else "not possible"
        lines.append(f"| {kind} | {_cell(files)} | {own} |")
    return "\n".join([*lines, ""]) + "\n"


USED = {
    "detectors": "the audit runs all; `audit.severities`, `audit.waivers`",
    "sources": "`ingest.source`; `distillery repro --source`",
    "strategies": "`distillations.<name>.strategy`",
    "judges": "`evaluate.judges`",
    "export_formats": "`distillery export --format`",
}


def groups() -> str:
    """Return a row per group of entry points: the type, its first line, and where it is named."""
    catalogues = (
        detectors.DETECTORS,
        sources.SOURCES,
        strategies.STRATEGIES,
        judge_kinds.JUDGES,
        formats.FORMATS,
    )
    rows = [
        "",
        "| group | type of the value | what it does | where it is named |",
        "|---|---|---|---|",
    ]
    for catalogue in catalogues:
        kind = catalogue.kind
        meaning = (kind.__doc__ or "").splitlines()[0]
        name = f"`{kind.__module__}.{kind.__name__}`"
        rows.append(
            f"| `distillery.{catalogue.group}` | {name} | {meaning} | {USED[catalogue.group]} |"
        )
    return "\n".join([*rows, ""]) + "\n"


def _cell(files: Iterable[str]) -> str:
    names = sorted(files)
    return f"{len(names)}: " + ", ".join(f"`{name}`" for name in names)


def _files(*parts: ModuleType | Callable[..., Any]) -> set[str]:
    """Return the files of modules and functions."""
    paths = [Path(inspect.getfile(part)) for part in parts]
    return {str(path.relative_to(PROJECT)) for path in paths}


def _detector_files() -> list[set[str]]:
    return [_files(one.detect) for one in detectors.BUILT_IN.values()]


def _source_files() -> list[set[str]]:
    readers = [source.read for source in sources.SOURCES.built_in.values()]
    return [_files(sources, read) for read in readers if inspect.isroutine(read)]


def _strategy_files() -> list[set[str]]:
    """Return the files of the strategies that need a template and no function of their own."""
    listed = _files(strategies)
    return [
        listed | {str((TEMPLATES / f"{name}.yaml").relative_to(PROJECT)) for name in one.templates}
        for one in strategies.STRATEGIES.built_in.values()
        if isinstance(one.ask, partial)
    ]


def _stage_files() -> list[set[str]]:
    """Return for each stage the files that name it, but for those that a program writes."""
    hand_written = [*PROJECT.glob("pipeline/**/*.py"), PROJECT / "params.yaml"]
    dvc = PROJECT / "dvc.yaml"
    if "dag --write" not in dvc.read_text(encoding="utf-8")[:200]:
        hand_written.append(dvc)
    texts = {path: path.read_text(encoding="utf-8") for path in hand_written}
    return [
        {
            str(path.relative_to(PROJECT))
            for path, text in texts.items()
            if path == file or name.search(text)
        }
        for file in (PROJECT / "pipeline" / "stages").glob("[!_]*.py")
        for name in [re.compile(rf"\b{file.stem}\b")]
    ]


def _section_files() -> list[set[str]]:
    folder = Path(sections.__file__).parent / "templates"
    names = {path.name.removesuffix(".html.j2") for path in folder.iterdir()}
    return [
        _files(sections) | {str((folder / f"{name}.html.j2").relative_to(PROJECT))}
        for name in sections.SECTIONS
        if name in names
    ]


def _of_a_package() -> dict[str, set[str]]:
    """Return the files of what the package in tests/extension adds, by group."""
    project = tomllib.loads((OWN / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = {}
    for group, entries in project["entry-points"].items():
        (value,) = entries.values()
        module = Path(*value.partition(":")[0].split(".")).with_suffix(".py")
        text = (OWN / module).read_text(encoding="utf-8")
        templates = (
            str(path.relative_to(OWN))
            for path in OWN.glob("*/templates/*/*.yaml")
            if f"{path.parent.name}/{path.stem}" in text
        )
        files[group.removeprefix("distillery.")] = {str(module), *templates}
    return files
