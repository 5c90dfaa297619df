"""The graph of dvc.yaml: which stage makes which file, and what it needs for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import MissingFileError, TableError
from pipeline.yaml_files import read_yaml

PLACE = re.compile(r"\$\{([^}]+)\}")
STUDY = re.compile(r"reports/studies/([^/]+)/")


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
            return f"distillery study {study[1]} --data DIR"
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
    entries = read_values(path).get("stages", {})
    params = path.with_name("params.yaml")
    values = read_values(params) if params.is_file() else {}
    return StageGraph({name: _stage(name, entry, values) for name, entry in entries.items()})


def read_values(path: Path) -> dict[str, Any]:
    """Return a YAML file as plain values."""
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise TableError(path, "not a list of names and values", hint="Mend it.")
    return values


def _stage(name: str, entry: Mapping[str, Any], params: Mapping[str, Any]) -> Stage:
    body = entry.get("do", entry)
    items = _items(entry, params)
    known = {key: {**params, "key": key, "item": item} for key, item in items.items()}
    return Stage(
        name=name,
        desc=body.get("desc", ""),
        is_family="do" in entry,
        deps=frozenset().union(*(_paths(body, ("deps",), one) for one in known.values())),
        outs={key: _paths(body, ("outs", "metrics", "plots"), one) for key, one in known.items()},
    )


def _items(entry: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    over = entry.get("foreach", {"": None})
    if isinstance(over, str):
        over = _value(over.strip("${}"), params) or {}
    return over if isinstance(over, dict) else {str(one): one for one in over}


def _paths(
    body: Mapping[str, Any], keys: tuple[str, ...], known: Mapping[str, Any]
) -> frozenset[str]:
    entries = [entry for key in keys for entry in body.get(key, [])]
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
