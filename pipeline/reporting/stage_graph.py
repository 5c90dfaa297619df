"""The graph of dvc.yaml: which stage makes which file, and what it needs for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, Field, ValidationError

from pipeline.errors import MissingFileError, TableError
from pipeline.storage import first_problem
from pipeline.yaml_files import read_yaml

PLACE = re.compile(r"\$\{([^}]+)\}")
STUDY = re.compile(r"reports/studies/([^/]+)/")


# A path, or the path with what DVC is to do with it.
_Path: TypeAlias = str | Annotated[dict[str, Any], Field(min_length=1)]


class _Body(BaseModel):
    """What is read of a stage."""

    desc: str = ""
    deps: list[_Path] = []
    outs: list[_Path] = []
    metrics: list[_Path] = []
    plots: list[_Path] = []


class _Entry(_Body):
    """A stage, or a family of them: `do` for each of `foreach`."""

    foreach: str | list[Any] | dict[Any, Any] = {"": None}
    do: _Body | None = None


class _File(BaseModel):
    """What is read of dvc.yaml."""

    stages: dict[str, _Entry] = {}


@dataclass(frozen=True)
class Stage:
    """One entry of dvc.yaml; `outs` are those of each item, of "" where it runs just once."""

    name: str
    desc: str
    is_family: bool
    deps: frozenset[str]
    outs: Mapping[str, frozenset[str]]

    @property
    def all_outs(self) -> Iterator[str]:
        """What it writes for any item."""
        for paths in self.outs.values():
            yield from paths


class StageGraph:
    """The stages in the order of dvc.yaml, families of one stage as one."""

    def __init__(self, stages: Mapping[str, Stage]) -> None:
        self.stages = stages
        self.needs = {
            name: {
                maker.name
                for maker in stages.values()
                if maker.name != name
                and any(_touch(out, dep) for out in maker.all_outs for dep in stage.deps)
            }
            for name, stage in stages.items()
        }

    def upstream(self, name: str) -> set[str]:
        """Return all stages that `name` needs, directly or not."""
        found: set[str] = set()
        waiting = set(self.needs[name])
        while waiting:
            one = waiting.pop()
            found.add(one)
            waiting |= self.needs[one] - found
        return found

    def arrows(self) -> list[tuple[str, str]]:
        """Return (maker, user) pairs, without those that a longer way implies."""
        upstream = {name: self.upstream(name) for name in self.stages}
        return [
            (maker, name)
            for name in self.stages
            for maker in self.stages
            if maker in self.needs[name]
            and not any(maker in upstream[one] for one in self.needs[name])
        ]

    def maker(self, file: str) -> str | None:
        """Return the stage, with its item, that writes `file`; None if no stage does."""
        for stage in self.stages.values():
            for item, outs in stage.outs.items():
                if any(_below(file, out) for out in outs):
                    return f"{stage.name}@{item}" if stage.is_family else stage.name
        return None

    def command_for(self, file: str, *, force: bool = False) -> str:
        """Return what to type to have `file` made."""
        if study := STUDY.match(file):
            return f"python -m studies {study[1]} --data DIR"
        stage = self.maker(file)
        if stage is None:
            return "make repro"
        return f"dvc repro {'--force --single-item ' if force else ''}{stage}"


def read_stage_graph(path: Path) -> StageGraph:
    """Read the graph of the dvc.yaml at `path`, with the params.yaml beside it filled in.

    A placeholder that nothing fills stays as it is.
    """
    if not path.is_file():
        raise MissingFileError(path, hint="Run this in the project's folder.")
    try:
        entries = _File.model_validate(read_values(path)).stages
    except ValidationError as error:
        raise TableError(path, first_problem(error), hint="Mend it.") from error
    params = path.with_name("params.yaml")
    values = read_values(params) if params.is_file() else {}
    stages = {}
    for name, entry in entries.items():
        items = _items(entry, values)
        if items is None:
            raise TableError(
                path, f"stages.{name}.foreach: neither a list nor names and values", hint="Mend it."
            )
        stages[name] = _stage(name, entry, items, values)
    return StageGraph(stages)


def read_values(path: Path) -> dict[str, Any]:
    """Return a YAML file as plain values."""
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise TableError(path, "not a list of names and values", hint="Mend it.")
    return values


def _stage(name: str, entry: _Entry, items: Mapping[str, Any], params: Mapping[str, Any]) -> Stage:
    body = entry.do or entry
    known = {key: {**params, "key": key, "item": item} for key, item in items.items()}
    outs = (*body.outs, *body.metrics, *body.plots)
    return Stage(
        name=name,
        desc=body.desc,
        is_family=entry.do is not None,
        deps=frozenset().union(*(_paths(body.deps, one) for one in known.values())),
        outs={key: _paths(outs, one) for key, one in known.items()},
    )


def _items(entry: _Entry, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a stage runs for, by name; None if params.yaml has no such thing."""
    over: Any = entry.foreach
    if isinstance(over, str):
        over = _value(over.strip("${}"), params) or {}
    if isinstance(over, list):
        return {str(one): one for one in over}
    return over if isinstance(over, dict) else None


def _paths(entries: Iterable[_Path], known: Mapping[str, Any]) -> frozenset[str]:
    names = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]

    def fill(match: re.Match[str]) -> str:
        found = _value(match.group(1), known)
        return match.group() if found is None else str(found)

    return frozenset(PLACE.sub(fill, name) for name in names)


def _value(name: str, known: Any) -> Any:
    """Return what `a.b` stands for, None if nothing does."""
    for part in name.split("."):
        known = known.get(part) if isinstance(known, Mapping) else None
    return known


def _touch(out: str, dep: str) -> bool:
    return _below(out, dep) or _below(dep, out)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
