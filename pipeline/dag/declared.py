"""What is known of a stage once its signature was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pipeline.declare import Plot, Stage
from pipeline.errors import PipelineError
from pipeline.layout import PATHS, pattern

Role = Literal["in", "out", "uncached", "metrics", "plot"]


class DeclarationError(PipelineError):
    """A stage's own file says something that no DAG can be made of."""


@dataclass(frozen=True)
class Option:
    """A file or folder that a stage is given by name; `path` may have holes."""

    name: str
    role: Role
    record: object
    path: str
    required: bool
    plot: Plot | None = None


@dataclass(frozen=True)
class Argument:
    """A value of params.yaml that a stage is given: by its dotted key, or of the item."""

    name: str
    key: str
    kind: Literal["param", "key", "item"]
    watched: bool = True


@dataclass(frozen=True)
class Declared:
    """All that a stage's file says of the stage."""

    name: str
    description: str
    place: str
    stage: Stage
    run: Callable[..., object]
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]

    @property
    def is_family(self) -> bool:
        """Whether it runs once for each of several items."""
        return bool(self.stage.each)

    @property
    def command(self) -> str:
        """What follows `python -m pipeline` on its command line."""
        return self.stage.command or self.name

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The paths of what it reads beside its options."""
        return tuple(
            name if "{" in name else self._path(name, each=False) for name in self.stage.reads
        )

    @property
    def outs(self) -> Iterator[Option]:
        """Its options that are written."""
        return (option for option in self.options if option.role != "in")

    def _path(self, name: str, *, each: bool) -> str:
        path = PATHS.get(name) or pattern(self.name, name, each=each)
        if path is None:
            raise DeclarationError(
                f"{self.place}: no path is known for {name!r} of stage {self.name}\n"
                "Add a line to the table in pipeline/layout.py."
            )
        return path
