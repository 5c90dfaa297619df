"""A stage as its `run` declares it: options with their paths, and keys of params.yaml."""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin

import pipeline
from pipeline.dag.declared import Argument, DeclarationError, Declared, Option, Role
from pipeline.dag.keys import check_keys
from pipeline.declare import In, Item, Key, Metrics, Out, Param, Plot, Stage, Uncached
from pipeline.layout import fill, pattern

_ROLES: Mapping[object, Role] = {In: "in", Out: "out", Uncached: "uncached"}
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def read_stage(name: str) -> Declared:
    """Return what the file of stage `name` declares; raises DeclarationError if it is not whole."""
    try:
        module = importlib.import_module(f"pipeline.stages.{name}")
    except (ImportError, SyntaxError, AttributeError, NameError, TypeError, ValueError) as error:
        raise DeclarationError(
            f"pipeline/stages/{name}.py: {type(error).__name__} on import: {error}\nMend it."
        ) from error
    return declared(module)


def stage_paths(name: str, **holes: str) -> dict[str, Path]:
    """Return the paths of a stage's options, their holes filled with `holes`."""
    return {option.name: Path(fill(option.path, holes)) for option in read_stage(name).options}


def declared(module: ModuleType) -> Declared:
    """Return what a stage's module declares; raises DeclarationError if it is not whole."""
    name = module.__name__.rpartition(".")[2]
    run = inspect.unwrap(module.run)
    code = run.__code__
    place = f"{_short(code.co_filename)}:{code.co_firstlineno}"
    stage = getattr(module, "DAG", Stage())
    if not isinstance(stage, Stage):
        raise DeclarationError(f"{place}: DAG is {stage!r}\nMake it a Stage(...), or leave it out.")
    try:
        hints = typing.get_type_hints(run, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        raise DeclarationError(f"{place}: {error}\nImport it where the code can see it.") from error
    options, arguments = [], []
    for parameter in inspect.signature(run).parameters.values():
        if parameter.name not in hints or parameter.kind in _VARIABLE:
            raise DeclarationError(
                f"{place}: what is {parameter.name!r} of stage {name}?\n"
                "Give each parameter a name and a type: In[...], Out[...], Metrics, or a value's."
            )
        hint = _without_none(hints[parameter.name])
        if hint in _ROLES:
            raise DeclarationError(
                f"{place}: {parameter.name!r} of stage {name} is {hint} of nothing\n"
                "Say which record or shape: In[Exchange], Out[Page]"
            )
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
    check_keys(name, place, stage, arguments, [option.path for option in options])
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


def _short(file: str) -> str:
    """Return the path of a module as a person names it: from the folder of the package on."""
    path = Path(file)
    root = Path(pipeline.__file__).parents[1]
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
