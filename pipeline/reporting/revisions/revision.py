"""The files of a build as a git revision has them: in git itself, or by hash in the DVC cache."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.errors import PipelineError
from pipeline.storage import first_problem, read_json_as
from pipeline.yaml_files import NotYamlError, parse_yaml

NOW = "working tree"
_SHOWN = 3


class RevisionError(PipelineError):
    """A revision, or a file of it, cannot be had."""


class _Kept(BaseModel):
    """A file or folder of a stage; what else DVC says of it is passed over."""

    path: str
    md5: str = ""


class _Stage(BaseModel):
    deps: list[_Kept] = []
    outs: list[_Kept] = []
    params: dict[str, dict[str, Any]] = {}


class _Lock(BaseModel):
    """What is needed of dvc.lock."""

    stages: dict[str, _Stage]


class _Entry(BaseModel):
    """A file of a folder that DVC keeps."""

    relpath: str
    md5: str


@dataclass(frozen=True)
class Revision:
    """A commit, or the working tree (`commit` is None), of the project in the folder `root`."""

    root: Path
    name: str
    commit: str | None
    subject: str
    cache: Path
    _missing: list[str] = field(default_factory=list)

    def text(self, path: str) -> str | None:
        """Return a file that git keeps, None if the revision has none."""
        if self.commit is None:
            file = self.root / path
            try:
                return file.read_text(encoding="utf-8") if file.is_file() else None
            except UnicodeDecodeError as error:
                raise self._damaged(path, "not UTF-8 text") from error
        return _git(self.root, "show", f"{self.commit}:./{path}", may_fail=True)

    def document(self, path: str) -> Any:
        """Return what a JSON file holds that git keeps, None if there is none."""
        text = self.text(path)
        try:
            return None if text is None else json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._damaged(path, "not JSON") from error

    def _yaml(self, path: str, text: str) -> Any:
        try:
            return parse_yaml(text, Path(path))
        except NotYamlError as error:
            raise self._damaged(path, f"not YAML: {error.problem}") from error

    def _damaged(self, path: str, problem: str) -> RevisionError:
        return RevisionError(f"{self.name}: {path} is {problem}\nCompare other revisions.")

    @cached_property
    def lock(self) -> dict[str, Any]:
        """The stages of dvc.lock; raises RevisionError if nothing was built there."""
        text = self.text("dvc.lock")
        if text is None:
            raise RevisionError(
                f"{self.name}: no dvc.lock, so nothing was built there\n"
                "Name a revision whose build was committed: git log -- dvc.lock"
            )
        try:
            lock = _Lock.model_validate(self._yaml("dvc.lock", text))
        except ValidationError as error:
            problem = f"not what DVC writes ({first_problem(error)})"
            raise self._damaged("dvc.lock", problem) from error
        stages: dict[str, Any] = lock.model_dump(exclude_unset=True)["stages"]
        return stages

    @cached_property
    def params(self) -> dict[str, Any]:
        """The settings, flat: `section.key` to value."""
        return flat(self._yaml("params.yaml", self.text("params.yaml") or "{}"))

    @cached_property
    def _outs(self) -> dict[str, str]:
        """Path to hash of all that DVC keeps; a folder has one, which ends in `.dir`."""
        outs = [out for stage in self.lock.values() for out in stage.get("outs", [])]
        return {out["path"]: out["md5"] for out in outs if "md5" in out}

    def _kept(self, path: str) -> dict[str, str]:
        """Return path to hash of the files at or below `path`.

        Only the folders on the way are looked up: a model that DVC does not cache is no part of
        a corpus, and its absence no fault.
        """
        found: dict[str, str] = {}
        for out, md5 in self._outs.items():
            if not _is_below(out, path) and not _is_below(path, out):
                continue
            if not md5.endswith(".dir"):
                found[out] = md5
            elif listing := self._cached(out, md5):
                entries = read_json_as(listing, list[_Entry], hint="Compare other revisions.")
                found |= {f"{out}/{one.relpath}": one.md5 for one in entries}
        return {name: md5 for name, md5 in found.items() if _is_below(name, path)}

    def files(self, folder: str) -> list[str]:
        """Return the kept files below `folder`, by name."""
        return sorted(self._kept(folder))

    def hash_of(self, path: str) -> str | None:
        """Return the hash of a kept file, None if there is none."""
        return self._kept(path).get(path)

    def file(self, path: str) -> Path | None:
        """Return where a kept file lies; None if there is none, or it is missing from the cache."""
        md5 = self.hash_of(path)
        return None if md5 is None else self._cached(path, md5)

    def refuse_missing(self) -> None:
        """Raise RevisionError if a file that was asked for is not in the cache."""
        if self._missing:
            names = ", ".join(self._missing[:_SHOWN])
            more = f" and {len(self._missing) - _SHOWN} more" if len(self._missing) > _SHOWN else ""
            if self.commit is None:
                raise RevisionError(f"{self.name}: not built: {names}{more}\nRun: dvc repro")
            raise RevisionError(
                f"{self.name}: not in the DVC cache at {self.cache}: {names}{more}\n"
                "Get them with `dvc fetch --all-commits` where there is a remote, or build them "
                f"again: git worktree add ../{self.commit} {self.commit}, "
                "and there `dvc repro` with the same cache (`dvc cache dir --local`)."
            )

    def _cached(self, path: str, md5: str) -> Path | None:
        kept = self.cache / "files" / "md5" / md5[:2] / md5[2:]
        if kept.is_file():
            return kept
        if self.commit is None and (self.root / path).is_file():
            return self.root / path
        if path not in self._missing:
            self._missing.append(path)
        return None


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def open_revision(root: Path, name: str | None) -> Revision:
    """Return the revision called `name` of the project in `root`; None is the working tree."""
    cache = Path(_run(root, "dvc", "cache", "dir").strip())
    cache = cache if cache.is_absolute() else root / cache
    if name is None:
        return Revision(root, NOW, None, "as it is now", cache)
    commit = _git(
        root,
        "rev-parse",
        "--verify",
        "--quiet",
        "--short",
        "--end-of-options",
        f"{name}^{{commit}}",
        may_fail=True,
    )
    if commit is None:
        raise RevisionError(
            f"revision {name!r}: git knows none of that name\nSee `git log --oneline`."
        )
    commit = commit.strip()
    subject = _git(root, "log", "-1", "--format=%cs %s", commit) or ""
    return Revision(root, name, commit, subject.strip(), cache)


def _git(root: Path, *arguments: str, may_fail: bool = False) -> str | None:
    return _run(root, "git", *arguments, may_fail=may_fail) or None


def _run(root: Path, *command: str, may_fail: bool = False) -> str:
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise RevisionError(f"{command[0]}: not installed\nInstall it.") from error
    if done.returncode == 0:
        return done.stdout
    if may_fail and "not a git repository" not in done.stderr:
        return ""
    problem = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
    raise RevisionError(
        f"{root}: `{' '.join(command[:2])}` failed: {' '.join(problem)}\n"
        "Run this in a clone of the project, where git and DVC know the folder."
    )


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested settings as `section.key` to value."""
    if not isinstance(values, dict) or not values:
        return {prefix: values}
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}.{key}" if prefix else str(key))
    return found
