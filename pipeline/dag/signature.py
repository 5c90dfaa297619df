"""A stage as its `run` declares it: options with their paths, and keys of params.yaml."""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import pipeline
from pipeline.code_keys import stage_names
from pipeline.declare import In, Item, Key, Metrics, Out, Param, Plot, Stage, Uncached
from pipeline.errors import PipelineError
from pipeline.layout import PATHS, fill, pattern

Role = Literal["in", "out", "uncached", "metrics", "plot"]
_ROLES: Mapping[object, Role] = {In: "in", Out: "out", Uncached: "uncached"}


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


def read_stage(name: str) -> Declared:
    """Return what the file of stage `name` declares."""
    return declared(importlib.import_module(f"pipeline.stages.{name}"))


def stage_paths(name: str, **holes: str) -> dict[str, Path]:
    """Return the paths of a stage's options, their holes filled with `holes`."""
    return {option.name: Path(fill(option.path, holes)) for option in read_stage(name).options}


def read_stages() -> list[Declared]:
    """Return all stages, each after those whose outputs it reads.

    Raises DeclarationError for two stages that write one path, and for a ring.
    """
    found = [read_stage(name) for name in stage_names()]
    writers: dict[str, tuple[Declared, Option]] = {}
    for stage in found:
        for option in stage.outs:
            for path, (other, _) in writers.items():
                if _lies_in(path, option.path) or _lies_in(option.path, path):
                    raise DeclarationError(
                        f"{stage.place}: stage {stage.name} writes {option.path}, and stage "
                        f"{other.name} ({other.place}) writes {path}\nGive one another path."
                    )
            writers[option.path] = (stage, option)
    return _in_order(found, writers)


def declared(module: ModuleType) -> Declared:
    """Return what a stage's module declares; raises DeclarationError if it is not whole."""
    name = module.__name__.rpartition(".")[2]
    run = inspect.unwrap(module.run)
    code = run.__code__
    place = f"{_short(code.co_filename)}:{code.co_firstlineno}"
    stage: Stage = getattr(module, "DAG", Stage())
    try:
        hints = typing.get_type_hints(run, include_extras=True)
    except NameError as error:
        raise DeclarationError(f"{place}: {error}\nImport it where the code can see it.") from error
    options, arguments = [], []
    for parameter in inspect.signature(run).parameters.values():
        hint = _without_none(hints[parameter.name])
        role, record, plot = _role(hint)
        optional = parameter.default is not inspect.Parameter.empty
        if role is not None:
            path = pattern(name, parameter.name, each=bool(stage.each))
            if path is None:
                raise DeclarationError(
                    f"{place}: no path is known for {parameter.name!r} of stage {name}\n"
                    f"Add a line to the table in pipeline/layout.py: {name}.{parameter.name}"
                )
            options.append(Option(parameter.name, role, record, path, not optional, plot))
        elif not optional:
            arguments.append(_argument(name, stage, parameter.name, hint))
    if all(option.role == "in" for option in options):
        raise DeclarationError(
            f"{place}: stage {name} writes nothing\nDeclare what it writes: out: Out[...]"
        )
    first = (module.__doc__ or "").splitlines()[0] if module.__doc__ else ""
    description = first.partition(": ")[2].rstrip(".") or first.rstrip(".")
    return Declared(name, description, place, stage, module.run, (*options,), (*arguments,))


def _argument(name: str, stage: Stage, parameter: str, hint: Any) -> Argument:
    """Return where in params.yaml the value of a parameter is."""
    if get_origin(hint) is Key:
        return Argument(parameter, "", "key", watched=False)
    if get_origin(hint) is Item:
        return Argument(parameter, f"{stage.each}.{{key}}", "item")
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Param):
            return Argument(parameter, extra.key, "param", watched=extra.watched)
    return Argument(parameter, name if parameter == "params" else parameter, "param")


def _role(hint: Any) -> tuple[Role | None, object, Plot | None]:
    """Return what a parameter is to the DAG, of which record; (None, None, None) for a value."""
    role = _ROLES.get(get_origin(hint))
    if role is not None:
        return role, get_args(hint)[0], None
    if hint == Metrics:
        return "metrics", None, None
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Plot):
            return "plot", None, extra
    return None, None, None


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (types.UnionType, typing.Union):
        kinds = [kind for kind in get_args(hint) if kind is not types.NoneType]
        return kinds[0] if len(kinds) == 1 and get_origin(kinds[0]) in _ROLES else hint
    return hint


def _in_order(
    found: list[Declared], writers: Mapping[str, tuple[Declared, Option]]
) -> list[Declared]:
    """Return the stages in the order of a build.

    What is read of an item that params.yaml names, such as the parents of a distillation, may come
    from a later stage for another item, and decides nothing.
    """
    needed = {stage.name: _needed(stage, writers) for stage in found}
    by_name = {stage.name: stage for stage in found}
    ordered: list[Declared] = []
    while by_name:
        free = sorted(name for name in by_name if not needed[name] & by_name.keys())
        if not free:
            ring = ", ".join(sorted(by_name))
            raise DeclarationError(
                f"{by_name[min(by_name)].place}: each of these stages needs another: {ring}"
            )
        ordered.append(by_name.pop(min(free, key=_rank)))
    return ordered


def _rank(name: str) -> tuple[int, str]:
    """Return where a stage stands in the table of paths, which tells a build as a story."""
    lines = (at for at, line in enumerate(PATHS) if line.startswith(f"{name}."))
    return next(lines, len(PATHS)), name


def _needed(stage: Declared, writers: Mapping[str, tuple[Declared, Option]]) -> set[str]:
    """Return the stages that write what `stage` reads."""
    needed = set()
    for read in _read(stage):
        if "{" in read.replace("{key}", ""):
            continue
        named = {read} & writers.keys()
        for path in named or writers:
            writer = writers[path][0]
            touch = _within(path, read) or _within(read, path)
            if touch and writer.name != stage.name:
                needed.add(writer.name)
    return needed


def _read(stage: Declared) -> list[str]:
    return [*(option.path for option in stage.options if option.role == "in"), *stage.reads]


def _lies_in(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it; names that fill holes are checked with params."""
    return path == folder or path.startswith(f"{folder}/")


def _within(path: str, folder: str) -> bool:
    """Whether a path may be a folder, or lie in it, where a hole may be any one name."""
    parts, upper = path.split("/"), folder.split("/")
    return len(parts) >= len(upper) and all(
        mine == its or "{" in mine or "{" in its for mine, its in zip(parts, upper, strict=False)
    )


def _short(file: str) -> str:
    """Return the path of a module as a person names it: from the folder of the package on."""
    path = Path(file)
    root = Path(pipeline.__file__).parents[1]
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
