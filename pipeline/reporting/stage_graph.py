"""The graph of dvc.yaml: which stage makes which file, and what it needs for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import MissingFileError


@dataclass(frozen=True)
class Stage:
    """One entry of dvc.yaml; `is_family` if it runs once per item of the section `of`."""

    name: str
    desc: str
    deps: frozenset[str]
    outs: frozenset[str]
    is_family: bool
    of: str | None


class StageGraph:
    """The stages in the order of dvc.yaml, families of one stage as one."""

    def __init__(self, stages: Mapping[str, Stage]) -> None:
        self.stages = stages
        self.needs = {
            name: {
                maker.name
                for maker in stages.values()
                if maker.name != name
                and any(_touch(out, dep) for out in maker.outs for dep in stage.deps)
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
        arrows = []
        for name in self.stages:
            makers = self.needs[name]
            for maker in self.stages:
                if maker in makers and not any(maker in self.upstream(one) for one in makers):
                    arrows.append((maker, name))
        return arrows

    def maker(self, file: str) -> str | None:
        """Return the stage, with its item, that writes `file`; None if no stage does."""
        for stage in self.stages.values():
            for out in sorted(stage.outs, key=len, reverse=True):
                before, key, after = out.partition("${key}")
                if not key and _below(file, out):
                    return stage.name
                if key and file.startswith(before) and file.endswith(after):
                    return f"{stage.name}@{file[len(before) : len(file) - len(after)]}"
        return None

    def command_for(self, file: str, *, force: bool = False) -> str:
        """Return what to type to have `file` made."""
        stage = self.maker(file)
        if stage is None:
            return "make repro"
        return f"dvc repro {'--force --single-item ' if force else ''}{stage}"


def read_stage_graph(path: Path) -> StageGraph:
    """Read the graph of the dvc.yaml at `path`."""
    if not path.is_file():
        raise MissingFileError(path, hint="Run this in the project's folder.")
    entries: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
    return StageGraph({name: _stage(name, entry) for name, entry in entries.items()})


def _stage(name: str, entry: dict[str, Any]) -> Stage:
    body = entry.get("do", entry)
    over = entry.get("foreach")
    return Stage(
        name=name,
        desc=body.get("desc", ""),
        deps=_paths(body, ("deps",)),
        outs=_paths(body, ("outs", "metrics", "plots")),
        is_family="do" in entry,
        of=over.strip("${}") if isinstance(over, str) else None,
    )


def _paths(body: dict[str, Any], keys: tuple[str, ...]) -> frozenset[str]:
    entries = [entry for key in keys for entry in body.get(key, [])]
    names = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
    # The responses of a corpus are the source's, or those that were parsed for it.
    either = ("source", "${key}")
    return frozenset(name.replace("${item.responses}", one) for name in names for one in either)


def _touch(out: str, dep: str) -> bool:
    return _below(out, dep) or _below(dep, out)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
