"""Figures of a build, each with the file and the place in it that it was read from.

What pages and cards say is read through here, so every number on them can be traced: a template
that prints a `Fact` or a `Figure` prints its source too, and a test follows each of them back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import MissingFileError, PipelineError, TableError
from pipeline.pages import printable, shortened
from pipeline.reporting.stage_graph import StageGraph
from pipeline.storage import read_json

How = Literal["value", "name", "count", "sum", "share", "holding"]
SHOWN_CHARS = 200


class FactError(PipelineError):
    """A file of the build does not hold what it should."""


class NotBuiltError(PipelineError):
    """A part of the build is not there yet; `command` makes it."""

    def __init__(self, file: str, command: str) -> None:
        self.file = file
        self.command = command
        super().__init__(f"{file}: not built yet\nIt is made by: {command}")


@dataclass(frozen=True)
class Figure:
    """A value, and what was done to what stands at `sources` (`file#/json/pointer`) to get it.

    `value` and `name` are what is there and what it is called, `count` its number of entries,
    `sum` the sum over all sources, `share` the sum of all but the last divided by the last,
    `holding` how many of the sources are true.
    """

    value: Any
    sources: tuple[str, ...]
    how: How


@dataclass(frozen=True)
class Shown:
    """A figure as text."""

    figure: Figure
    text: str


class Fact:
    """One place in a JSON file; children by subscription, or by attribute in a template.

    Its own attributes have names that no file of ours uses as a key.
    """

    def __init__(self, raw: Any, origin: str, pointer: tuple[str, ...] = ()) -> None:
        self.raw = raw
        self.origin = origin
        self.pointer = pointer

    @property
    def place(self) -> str:
        """The place as `file#/json/pointer` (RFC 6901)."""
        steps = (step.replace("~", "~0").replace("/", "~1") for step in self.pointer)
        return self.origin + "#" + "".join(f"/{step}" for step in steps)

    @property
    def figure(self) -> Figure:
        """The value itself."""
        return Figure(self.raw, (self.place,), "value")

    @property
    def called(self) -> Figure:
        """The name under which the value stands."""
        return Figure(self.pointer[-1], (self.place,), "name")

    @property
    def entries(self) -> Figure:
        """The number of entries."""
        return Figure(len(self._container()), (self.place,), "count")

    def __getitem__(self, key: str) -> Fact:
        container = self._container()
        if isinstance(container, dict) and key in container:
            return Fact(container[key], self.origin, (*self.pointer, key))
        raise FactError(f"{self.place}/{key}: not there\nWrite the file again: {self.origin}")

    def get(self, key: str) -> Fact | None:
        """Return the child called `key`, None if there is none."""
        found = isinstance(self.raw, dict) and key in self.raw
        return self[key] if found else None

    def __contains__(self, key: str) -> bool:
        return isinstance(self.raw, dict) and key in self.raw

    def __iter__(self) -> Iterator[Fact]:
        container = self._container()
        keys = container if isinstance(container, dict) else map(str, range(len(container)))
        for key in keys:
            value = container[key] if isinstance(container, dict) else container[int(key)]
            yield Fact(value, self.origin, (*self.pointer, key))

    def __bool__(self) -> bool:
        return bool(self.raw)

    def _container(self) -> dict[str, Any] | list[Any]:
        if not isinstance(self.raw, dict | list):
            raise FactError(f"{self.place}: a {type(self.raw).__name__}, not a list or an object")
        return self.raw


@dataclass(frozen=True)
class NotBuilt:
    """A file that is not there yet; `command` makes it."""

    file: str
    command: str

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[Fact]:
        return iter(())


class Facts:
    """The JSON files of the build in the folder `root`."""

    def __init__(self, root: Path, graph: StageGraph) -> None:
        self.root = root
        self.graph = graph
        self._read: dict[str, Fact] = {}

    def find(self, file: str) -> Fact | NotBuilt:
        """Return what `file` holds, or what would make it. Raises TableError if it is no JSON."""
        if file not in self._read:
            try:
                self._read[file] = Fact(read_json(self.root / file), file)
            except MissingFileError:
                return NotBuilt(file, self.graph.command_for(file))
            except TableError as error:
                raise TableError(
                    Path(file),
                    str(error).split("\n")[0].split(": ", 1)[-1],
                    hint=f"Write it again: {self.graph.command_for(file, force=True)}",
                ) from error
        return self._read[file]

    def need(self, file: str) -> Fact:
        """Return what `file` holds; raises NotBuiltError if it is not there."""
        found = self.find(file)
        if isinstance(found, NotBuilt):
            raise NotBuiltError(found.file, found.command)
        return found


def total(facts: Sequence[Fact]) -> Figure:
    """Return the sum of numbers."""
    return Figure(sum(number(fact) for fact in facts), tuple(one.place for one in facts), "sum")


def holding(facts: Sequence[Fact]) -> Figure:
    """Return how many of the facts are true."""
    return Figure(
        sum(one.raw is True for one in facts), tuple(one.place for one in facts), "holding"
    )


def share(part: Fact, whole: Fact) -> Figure:
    """Return `part / whole`, 0 to 1; None where the whole is 0."""
    parts, of = number(part), number(whole)
    return Figure(parts / of if of else None, (part.place, whole.place), "share")


def number(fact: Fact) -> float:
    """Return a number, or raise FactError for anything else."""
    if isinstance(fact.raw, bool) or not isinstance(fact.raw, int | float):
        raise FactError(f"{fact.place}: {json.dumps(fact.raw)[:80]} is not a number")
    return fact.raw


def shown(value: Any) -> Shown:
    """Return a fact or a figure with the text that a reader sees of it."""
    figure = value.figure if isinstance(value, Fact) else value
    return Shown(figure, text_of(figure.value))


def text_of(value: object) -> str:
    """Return a JSON value as text: thousands apart, four digits of a fraction."""
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(text_of(one) for one in value) or "none"
    return shortened(printable(" ".join(str(value).split())), SHOWN_CHARS)


def percent(value: Fact | Figure, digits: int = 0) -> Shown:
    """Return a share as a percentage."""
    return _as_number(value, lambda found: f"{100 * found:.{digits}f}%")


def fixed(value: Fact | Figure, digits: int = 2) -> Shown:
    """Return a number with so many digits behind the point."""
    return _as_number(value, lambda found: f"{found:.{digits}f}")


def _as_number(value: Fact | Figure, write: Callable[[float], str]) -> Shown:
    figure = value.figure if isinstance(value, Fact) else value
    if figure.value is None:
        return Shown(figure, "none")
    if isinstance(value, Fact):
        number(value)
    return Shown(figure, write(figure.value))
