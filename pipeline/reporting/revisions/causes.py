"""What people changed: settings, inputs and code, of the stages that lead to corpora."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.layout import place
from pipeline.reporting.revisions.revision import Revision, flat

# What a reader of the difference asks about; other stages are left out.
WANTED = (
    "datasets/sft/",
    "datasets/preferences/",
    "reports/metrics/validation/",
    place("audit"),
)


@dataclass(frozen=True)
class Cause:
    """Something that people changed: a setting, an input file, the code of stages."""

    kind: str
    name: str
    before: str
    after: str
    used_by: tuple[str, ...]


def causes(before: Revision, after: Revision) -> Iterator[Cause]:
    """Yield what differs in what the stages of dvc.lock were given, other stages left out."""
    old, new = _given(before), _given(after)
    for kind, name in sorted({*old, *new}):
        was, now = old.get((kind, name)), new.get((kind, name))
        if was is None or now is None or was.value != now.value:
            users = sorted({*(was.used_by if was else ()), *(now.used_by if now else ())})
            # A hash says nothing to a person; that a file is new or gone does.
            values = [
                "not there" if one is None else "there" if kind != "setting" else one.value
                for one in (was, now)
            ]
            yield Cause(kind, name, values[0], values[1], tuple(users))


@dataclass
class _Given:
    value: str
    used_by: set[str]


def _given(revision: Revision) -> dict[tuple[str, str], _Given]:
    """Return settings and files that stages on the way to corpora and checks were given."""
    found: dict[tuple[str, str], _Given] = {}
    for name in _leading_to_corpora(revision.lock):
        stage = revision.lock[name]
        family = name.partition("@")[0]
        settings = flat(stage.get("params", {}).get("params.yaml", {}))
        for key, value in settings.items():
            found.setdefault(("setting", key), _Given(_said(value), set())).used_by.add(family)
        for dep in stage.get("deps", []):
            if not _makers(dep["path"], revision.lock):
                kind = "code" if dep["path"].startswith("pipeline/") else "input"
                given = found.setdefault((kind, dep["path"]), _Given(dep.get("md5", ""), set()))
                given.used_by.add(family)
    return found


def _leading_to_corpora(lock: dict[str, Any]) -> set[str]:
    waiting = [name for name, stage in lock.items() if any(map(_is_wanted, _outs(stage)))]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            for dep in lock[name].get("deps", []):
                waiting += _makers(dep["path"], lock)
    return found


def _is_wanted(path: str) -> bool:
    return path.startswith(WANTED)


def _outs(stage: dict[str, Any]) -> list[str]:
    return [out["path"] for out in stage.get("outs", [])]


def _makers(path: str, lock: dict[str, Any]) -> list[str]:
    return [
        name
        for name, stage in lock.items()
        if any(
            path == out or out.startswith(f"{path}/") or path.startswith(f"{out}/")
            for out in _outs(stage)
        )
    ]


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
