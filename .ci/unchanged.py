"""Check that a build changed nothing in git but what may differ between machines.

Trained weights, and what is made with them, depend on the processor: dvc.yaml marks the stages
that train or generate with `meta: {machine_dependent: true}`. Of these and of what is built from
them, the hashes in dvc.lock and the metrics files may move. Everything else must be as committed:
every other stage, and of these stages the command, the params, the paths and the other inputs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Lock = Mapping[str, dict[str, Any]]
LOCK = "dvc.lock"


def machine_dependent(pipeline: Mapping[str, Any], lock: Lock) -> set[str]:
    """Return the stages of `lock` marked in `pipeline`, and all that is built from them."""
    marked = {
        name
        for name, stage in pipeline["stages"].items()
        if stage.get("do", stage).get("meta", {}).get("machine_dependent")
    }
    found = {name for name in lock if name.split("@")[0] in marked}
    while True:
        made = outputs(lock, found)
        more = {
            name
            for name, stage in lock.items()
            if any(is_within(one["path"], made) for one in stage.get("deps", []))
        }
        if more <= found:
            return found
        found |= more


def outputs(lock: Lock, stages: set[str]) -> set[str]:
    """Return the paths that `stages` write."""
    return {one["path"] for name in stages for one in lock[name].get("outs", [])}


def is_within(path: str, made: set[str]) -> bool:
    """Say whether `path` is one of `made`, is in one of them, or holds one."""
    return any(
        path == one or path.startswith(f"{one}/") or one.startswith(f"{path}/") for one in made
    )


def complaints(
    pipeline: Mapping[str, Any], before: Lock, after: Lock, changed: set[str]
) -> list[str]:
    """Return what differs and may not; `changed` are the paths that git sees as changed."""
    free = machine_dependent(pipeline, after)
    made = outputs(after, free)
    found = [f"{path}: changed" for path in sorted(changed - {LOCK}) if not is_within(path, made)]
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            found.append(f"{LOCK}: stage {name} is only {'new' if old is None else 'old'}")
        elif name not in free:
            found += [f"{LOCK}: stage {name} differs"] if old != new else []
        elif _fixed(old, made) != _fixed(new, made):
            found.append(f"{LOCK}: stage {name} differs in more than hashes of this machine")
    return found


def _fixed(stage: dict[str, Any], made: set[str]) -> dict[str, Any]:
    """Return what of a stage is the same on every machine."""
    return {
        "cmd": stage["cmd"],
        "params": stage.get("params"),
        "deps": [
            one["path"] if is_within(one["path"], made) else one for one in stage.get("deps", [])
        ],
        "outs": [one["path"] for one in stage.get("outs", [])],
    }


def main() -> None:
    """Compare the working tree of the current folder with its last commit."""
    status = _git("status", "--porcelain", "--untracked-files=all").splitlines()
    changed = {line[3:].strip('"') for line in status}
    pipeline = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))
    before = yaml.safe_load(_git("show", f"HEAD:{LOCK}"))["stages"]
    after = yaml.safe_load(Path(LOCK).read_text(encoding="utf-8"))["stages"]
    found = complaints(pipeline, before, after, changed)
    if found:
        sys.exit("the build changed what must be the same everywhere:\n  " + "\n  ".join(found))
    moved = sorted(changed)
    told = f"differs on this machine, as it may: {', '.join(moved)}" if moved else "unchanged"
    sys.stdout.write(f"{told}\n")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
