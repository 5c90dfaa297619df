"""The command of a stage, made from its signature; only DVC types it, so no help lists it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.code_keys import stage_names
from pipeline.dag.code_file import same_code
from pipeline.dag.declared import Argument, Declared
from pipeline.dag.signature import read_stage
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.params import Params


def find_stage(name: str) -> Any:
    """Return the command of the stage called `name`, or None if no stage is."""
    return stage_command(name) if name in stage_names() else None


def stage_command(name: str) -> Any:
    """Return the command of stage `name`, which reads params.yaml and runs the stage."""
    stage = read_stage(name)

    def command(**given: Any) -> None:
        run_stage(stage, given)

    command.__doc__ = f"{stage.description[:1].upper()}{stage.description[1:]}."
    command.__signature__ = inspect.Signature(_parameters(stage))  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(stage.command.split()[-1], hidden=True)(command)
    return typer.main.get_command(app)


def _parameters(stage: Declared) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    found = []
    if any(argument.kind in ("key", "item") for argument in stage.arguments):
        key = Annotated[str, typer.Argument(help=f"a name under `{stage.stage.each}`")]
        found.append(inspect.Parameter("key", kind, annotation=key))
    for option in stage.options:
        annotation: Any = Annotated[
            Path, typer.Option(help="input" if option.role == "in" else "output")
        ]
        default: Any = inspect.Parameter.empty
        if not option.required:
            annotation = Annotated[Path | None, typer.Option(help="input")]
            default = None
        found.append(inspect.Parameter(option.name, kind, annotation=annotation, default=default))
    return found


def run_stage(stage: Declared, given: Mapping[str, Any]) -> None:
    """Run `stage` with the paths and the key that were given, and values of params.yaml."""
    from pipeline.params import load_params

    params = load_params()
    key = given.get("key")
    if key is not None:
        _check_key(stage, params, key)
    values = {
        argument.name: key if argument.kind == "key" else _value(params, argument, key)
        for argument in stage.arguments
    }
    with same_code(stage.name):
        stage.run(**values, **{option.name: given[option.name] for option in stage.options})


def _check_key(stage: Declared, params: Params, key: str) -> None:
    """Raise PipelineError if the stage has no item of that name."""
    each = stage.stage.each
    if isinstance(each, str):
        params.require(each, key)
    elif key not in each:
        raise PipelineError(f"{stage.name} {key}: not there; there are {', '.join(each)}")


def _value(params: Params, argument: Argument, key: str | None) -> Any:
    if argument.key == "":
        return params.model_dump(mode="json")
    first, *rest = argument.key.split(".")
    value = params.section(first)
    for part in rest:
        name = key if part == "{key}" else part
        value = value[name] if isinstance(value, Mapping) else getattr(value, str(name))
    return value
