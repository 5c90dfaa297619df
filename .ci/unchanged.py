"""Check that a build changed nothing in git but what may differ between machines, and that little.

Numbers of trained things depend on the processor: dvc.yaml marks the stages that embed, train or
generate with `meta: {machine_dependent: true}`. Of these the bytes of outputs may differ, but not
what they say: their fingerprints and the metrics in git must agree with those that were committed
(fingerprints.py says how near). Every other stage must write the very same bytes, though what it
reads may have moved.

After `dvc repro`, `python .ci/unchanged.py --accept` writes the fingerprints to be committed with
dvc.lock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from fingerprints import apart, differences, fingerprint

Lock = Mapping[str, dict[str, Any]]
LOCK = "dvc.lock"
FINGERPRINTS = Path(".ci/fingerprints.json")
# Drawn from what is compared; what is about a training says besides how long it took.
DRAWN = (
    "datasets/training",
    "reports/annotation",
    "reports/audit",
    "reports/cards/models",
    "reports/reward",
    "reports/students",
    "reports/validation",
)


def machine_dependent(pipeline: Mapping[str, Any], lock: Lock) -> set[str]:
    """Return the stages of `lock` that `pipeline` marks."""
    marked = {
        name
        for name, stage in pipeline["stages"].items()
        if stage.get("do", stage).get("meta", {}).get("machine_dependent")
    }
    return {name for name in lock if name.split("@")[0] in marked}


def outputs(lock: Lock, stages: set[str]) -> dict[str, str]:
    """Return the paths that `stages` write, with their hashes."""
    return {
        one["path"]: one.get("md5", "") for name in stages for one in lock[name].get("outs", [])
    }


def is_within(path: str, made: Mapping[str, str]) -> bool:
    """Say whether `path` is one of `made`, is in one of them, or holds one."""
    return any(
        path == one or path.startswith(f"{one}/") or one.startswith(f"{path}/") for one in made
    )


def complaints(
    pipeline: Mapping[str, Any], before: Lock, after: Lock, changed: set[str]
) -> Iterator[str]:
    """Yield what differs and may not, whatever is in the outputs of marked stages."""
    free = machine_dependent(pipeline, after)
    made = outputs(after, free)
    yield from (f"{path}: changed" for path in sorted(changed - {LOCK} - made.keys()))
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield f"{LOCK}: stage {name} is only {'new' if old is None else 'old'}"
        elif _fixed(old, made, whole=name not in free) != _fixed(new, made, whole=name not in free):
            yield f"{LOCK}: stage {name} differs in more than it may on another machine"


def _fixed(stage: dict[str, Any], made: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
    """Return what of a stage is the same on every machine; `whole`: its outputs are."""
    return {
        "cmd": stage["cmd"],
        "params": stage.get("params"),
        "deps": [
            one["path"] if is_within(one["path"], made) else one for one in stage.get("deps", [])
        ],
        "outs": [one if whole else one["path"] for one in stage.get("outs", [])],
    }


def moved(
    before: Mapping[str, str],
    after: Mapping[str, str],
    accepted: Mapping[str, Any],
    committed: Callable[[str], str | None],
) -> Iterator[str]:
    """Yield what the outputs of marked stages say now that they did not say when committed.

    `before` and `after` are the outputs with their hashes, `accepted` the fingerprints in git, and
    `committed` returns the text of a file in git, None where git has none.
    """
    for path in sorted(before.keys() & after.keys()):
        if before[path] == after[path] or _is_drawn(path):
            continue
        if not Path(path).exists():
            yield f"{path}: not there"
        elif (text := committed(path)) is not None:
            new = json.loads(Path(path).read_text(encoding="utf-8"))
            yield from differences(json.loads(text), new, path)
        elif accepted["made_of"].get(path) != before[path]:
            yield f"{FINGERPRINTS}: not of the committed {path}: see .ci/unchanged.py --accept"
        else:
            old = {
                name: one
                for name, one in accepted["files"].items()
                if name == path or name.startswith(f"{path}/")
            }
            yield from apart(old, _fingerprint(path))


def _is_drawn(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in DRAWN)


def _fingerprint(path: str) -> dict[str, Any]:
    found = fingerprint(Path(path))
    return {name: one for name, one in found.items() if not _is_drawn(name)}


def accept(made: Mapping[str, str], committed: Callable[[str], str | None]) -> dict[str, Any]:
    """Return the fingerprints of the outputs `made` that are not in git themselves."""
    kept = {
        path: md5
        for path, md5 in sorted(made.items())
        if committed(path) is None and not _is_drawn(path)
    }
    files: dict[str, Any] = {}
    for path in kept:
        files |= _fingerprint(path)
    return {"made_of": kept, "files": files}


def main() -> None:
    """Compare the working tree of the current folder with its last commit."""
    pipeline = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))
    after = yaml.safe_load(Path(LOCK).read_text(encoding="utf-8"))["stages"]
    free = machine_dependent(pipeline, after)
    if sys.argv[1:] == ["--accept"]:
        text = json.dumps(accept(outputs(after, free), _committed), indent=1)
        FINGERPRINTS.write_text(f"{text}\n", encoding="utf-8")
        return
    status = _git("status", "--porcelain", "--untracked-files=all").splitlines()
    changed = {line[3:].strip('"') for line in status}
    before = yaml.safe_load(_git("show", f"HEAD:{LOCK}"))["stages"]
    found = [
        *complaints(pipeline, before, after, changed),
        *moved(
            outputs(before, free & before.keys()),
            outputs(after, free),
            json.loads(FINGERPRINTS.read_text(encoding="utf-8")),
            _committed,
        ),
    ]
    if found:
        sys.exit("the build changed what must be the same everywhere:\n  " + "\n  ".join(found))
    told = f"differs on this machine, as it may: {', '.join(sorted(changed))}"
    sys.stdout.write(f"{told if changed else 'unchanged'}\n")


def _committed(path: str) -> str | None:
    if not _git("ls-tree", "--name-only", "HEAD", "--", path) or Path(path).is_dir():
        return None
    return _git("show", f"HEAD:{path}")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
