"""What installed packages add beside the built-in ones, found by their entry points.

A package says in its metadata what it adds, in one of the groups `distillery.<GROUP>`; the name of
the entry point is the name of what it adds. Nothing of a package is imported before it is used.
"""

from __future__ import annotations

import hashlib
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Generic, TypeVar, get_origin, get_type_hints

from pipeline.errors import PipelineError
from pipeline.names import is_slug

GROUPS = ("detectors", "sources", "strategies", "judges", "export_formats")

T = TypeVar("T")


class ExtensionError(PipelineError):
    """What an installed package adds cannot be used.

    `error` is what its code raised, if it did; else the place named is that of the entry point's
    value.
    """

    def __init__(
        self, entry: EntryPoint, problem: str, *, error: BaseException | None = None
    ) -> None:
        place = _raised_at(entry, error) if error is not None else _defined_at(entry)
        super().__init__(
            f"entry point {entry.name} = {entry.value} ({entry.group}) of {_origin(entry)}: "
            f"{problem}{f' ({place})' if place else ''}\n"
            "Mend that package, or uninstall it."
        )


class Catalogue(Generic[T], Mapping[str, T]):
    """All things of one kind by name: the built-in ones, then those of installed packages.

    Raises ExtensionError when a package takes a name that is taken, and when a thing of a package
    is looked up that cannot be loaded or is no `kind`. `guard` makes of such a thing one that says
    whose it is when it fails.
    """

    def __init__(
        self,
        group: str,
        kind: type[T],
        built_in: Mapping[str, T],
        *,
        guard: Callable[[EntryPoint, T], T] = lambda _entry, thing: thing,
    ) -> None:
        self.group, self.kind, self.built_in, self.guard = group, kind, dict(built_in), guard

    def entries(self) -> list[EntryPoint]:
        """Return what installed packages add, usable or not, in order of names."""
        return list(_installed(self.group))

    def load(self, entry: EntryPoint) -> T:
        """Return what `entry` names. Raises ExtensionError if that cannot be used."""
        self._check_name(entry)
        try:
            loaded = entry.load()
        except (Exception, SystemExit) as error:
            raise ExtensionError(entry, summary(error), error=error) from error
        if problem := _misfit(entry.name, loaded, self.kind):
            raise ExtensionError(entry, problem)
        return self.guard(entry, loaded)

    def named(self, name: str, *, what: str) -> T:
        """Return the thing called `name`; `what` says in the error what there is none of."""
        if name not in self:
            raise PipelineError(f"{what} {name!r}: not known\nThere are: {', '.join(self)}")
        return self[name]

    def __getitem__(self, name: str) -> T:
        outside = self._outside()
        return self.built_in[name] if name in self.built_in else self.load(outside[name])

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._outside()

    def __iter__(self) -> Iterator[str]:
        return iter([*self.built_in, *self._outside()])

    def __len__(self) -> int:
        return len(self.built_in) + len(self._outside())

    def _outside(self) -> dict[str, EntryPoint]:
        entries = self.entries()
        for entry in entries:
            self._check_name(entry)
        return {entry.name: entry for entry in entries}

    def _check_name(self, entry: EntryPoint) -> None:
        if not is_slug(entry.name):
            raise ExtensionError(entry, "a name is lower-case letters, digits, - and _")
        if entry.name in self.built_in:
            raise ExtensionError(entry, "the name is that of a built-in one")
        # Entry points are equal whatever package they are of.
        others = [
            other for other in self.entries() if other.name == entry.name and other is not entry
        ]
        if others:
            raise ExtensionError(entry, f"{_origin(others[0])} gives the same name")


@dataclass(frozen=True)
class Distribution:
    """An installed package that adds something; `sha256` is over all files of its modules."""

    name: str
    version: str
    sha256: str


def distributions() -> list[Distribution]:
    """Return the packages that add anything, by name: their code counts as ours does.

    What such a package imports from a third one is not in its hash.
    """
    modules: dict[tuple[str, str], set[str]] = {}
    for group in GROUPS:
        for entry in _installed(group):
            assert entry.dist is not None
            key = (entry.dist.name, entry.dist.version)
            modules.setdefault(key, set()).add(entry.module.partition(".")[0])
    return [
        Distribution(name, version, _sha256(tops))
        for (name, version), tops in sorted(modules.items())
    ]


@contextmanager
def blamed(entry: EntryPoint, *passing: type[Exception]) -> Iterator[None]:
    """Raise whatever goes wrong as an ExtensionError about `entry`.

    What is raised of `passing`, and what a user can act on, stays as it is.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (PipelineError, *passing)):
            raise
        raise ExtensionError(entry, summary(error), error=error) from error


def summary(error: BaseException) -> str:
    """Return what a foreign error says, with its type."""
    return f"{type(error).__name__}: {str(error)[:300]}"


def _installed(group: str) -> tuple[EntryPoint, ...]:
    return _all_installed(tuple(sys.path)).get(group, ())


@cache
def _all_installed(path: tuple[str, ...]) -> dict[str, tuple[EntryPoint, ...]]:
    """Return what packages add, by group; what is installed depends on where Python looks."""
    del path
    everything = entry_points()  # reading all metadata takes a tenth of a second
    found = {group: everything.select(group=f"distillery.{group}") for group in GROUPS}
    return {
        group: tuple(sorted(entries, key=lambda entry: (entry.name, _origin(entry))))
        for group, entries in found.items()
    }


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def _misfit(name: str, loaded: object, kind: type) -> str | None:
    """Return in which way `loaded` is no `kind` called `name`."""
    if not isinstance(loaded, kind):
        return f"a {type(loaded).__name__}, where a {kind.__module__}.{kind.__name__} is needed"
    hints = get_type_hints(kind)
    for field in fields(kind):
        value, hint = getattr(loaded, field.name), hints[field.name]
        if get_origin(hint) is Callable and not callable(value):
            return f"its {field.name} is {value!r}, which cannot be called"
        if hint is str and not isinstance(value, str):
            return f"its {field.name} is {value!r}, where a text is needed"
    if (own := getattr(loaded, "name", name)) != name:
        return f"it calls itself {own!r}"
    return None


def _files(top: str) -> list[Path]:
    """Return the files of a module or package at the top level, without importing it."""
    spec = find_spec(top)
    if spec is None:
        return []
    if spec.submodule_search_locations is None:
        return [Path(spec.origin)] if spec.origin else []
    folders = map(Path, spec.submodule_search_locations)
    return sorted(
        file
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".pyc", ".pyo")
    )


def _sha256(tops: set[str]) -> str:
    digest = hashlib.sha256()
    for file in (file for top in sorted(tops) for file in _files(top)):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _raised_at(entry: EntryPoint, error: BaseException) -> str | None:
    """Return the innermost line of the package's own code that `error` came through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename} line {error.lineno}"
    own = {str(file) for file in _files(entry.module.partition(".")[0])}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in own]
    return f"{frames[-1].filename} line {frames[-1].lineno}" if frames else _defined_at(entry)


def _defined_at(entry: EntryPoint) -> str | None:
    """Return the file of an entry point's value, and its line where one can be told."""
    stem = Path(*entry.module.split("."))
    ends = (str(stem.with_suffix(".py")), str(stem / "__init__.py"))
    files = _files(entry.module.partition(".")[0])
    file = next((file for file in files if str(file).endswith(ends)), None)
    if file is None:
        return None
    start = re.compile(rf"((async )?def |class )?{re.escape(entry.attr.partition('.')[0])}\b")
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if start.match(text)), None)
    return f"{file} line {line}" if line else str(file)
