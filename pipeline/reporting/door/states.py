"""In which state each stage is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.reporting.stage_graph import Stage, StageGraph

Word = Literal["built", "in part", "not built", "up to date", "changed", "behind", "never run"]
Kind = Word | Literal["failed", "unfinished"]
# How loud a state is: what a light shows beside the word.
LIGHTS: dict[str, str] = {
    "built": "good",
    "up to date": "good",
    "in part": "warning",
    "changed": "warning",
    "behind": "warning",
    "unfinished": "warning",
    "not built": "off",
    "never run": "off",
    "failed": "critical",
}


@dataclass(frozen=True)
class State:
    """The state of a stage, and why."""

    kind: Kind
    why: str = ""

    @property
    def light(self) -> str:
        """The class of its light."""
        return LIGHTS[self.kind]


def built_states(graph: StageGraph, root: Path) -> dict[str, State]:
    """Return for each stage whether what it writes is there.

    Whether it is also up to date, only DVC knows, and not while it runs a stage: `live_states`.
    """
    return {name: _built(stage, root) for name, stage in graph.stages.items()}


def _built(stage: Stage, root: Path) -> State:
    items = stage.outs
    missing = [
        item for item, outs in items.items() if not all((root / out).exists() for out in outs)
    ]
    if not items:
        return State("not built", "params.yaml names nothing for it")
    if not missing:
        return State("built", f"{len(items)} of {len(items)}" if stage.is_family else "")
    if len(missing) == len(items):
        return State("not built")
    return State("in part", f"missing: {', '.join(missing)}")


def live_states(
    graph: StageGraph,
    *,
    changed: Mapping[str, Any],
    locked: Iterable[str],
    notes: Mapping[str, str],
) -> dict[str, State]:
    """Return the state of each stage from what `dvc status` says.

    `changed` is its answer, `locked` the stages that dvc.lock records, both with `@item` where a
    stage has items; `notes` says of a stage that stopped why it did.
    """
    recorded = {name.split("@")[0] for name in locked}
    by_stage: dict[str, list[str]] = {}
    for name, found in changed.items():
        by_stage.setdefault(name.split("@")[0], []).append(_why(name, found))
    stopped = {name.split("@")[0]: (name, why) for name, why in notes.items() if name in changed}
    states: dict[str, State] = {}
    for name in graph.stages:
        if name in stopped:
            item, why = stopped[name]
            states[name] = State("failed" if why else "unfinished", why or f"{item} did not end")
        elif name not in recorded:
            states[name] = State("never run")
        elif name in by_stage:
            states[name] = State("changed", "; ".join(by_stage[name]))
        elif early := [one for one in graph.stages if one in graph.upstream(name) & set(by_stage)]:
            states[name] = State("behind", f"after {', '.join(early)}")
        else:
            states[name] = State("up to date")
    return states


def _why(name: str, found: Any) -> str:
    """Return what `dvc status` holds against a stage on one line."""
    item = name.partition("@")[2]
    reasons = []
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, str):
            reasons.append(one)
            continue
        for what, paths in one.items():
            listed = paths if isinstance(paths, dict) else {str(paths): ""}
            reasons.append(f"{what}: {', '.join(_flat(listed))}")
    return (f"{item}: " if item else "") + ", ".join(reasons)


def _flat(paths: Mapping[str, Any]) -> Iterable[str]:
    for path, how in paths.items():
        if isinstance(how, dict):  # params.yaml: {key: how}
            yield from (f"{path} {key}" for key in how)
        else:
            yield f"{path} {how}".strip()
