"""`dvc.yaml`, written from what the stages declare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pipeline.dag.declared import DeclarationError, Declared, Option
from pipeline.dag.graph import read_stages
from pipeline.dag.keys import is_list
from pipeline.errors import MissingFileError
from pipeline.layout import CODE_KEYS, fill, holes
from pipeline.storage import AtomicFile
from pipeline.yaml_files import folded, format_yaml, inline

FILE = Path("dvc.yaml")
HEAD = """\
# Written by `distillery dag --write` from the signatures in pipeline/stages and the paths in
# pipeline/layout.py. Outputs persist until a stage has new ones: one that fails leaves those of
# the last good run where they are.
"""
_STAGE = re.compile(r"\n(?=  \w+:\n)")


def dvc_yaml(stages: Iterable[Declared] | None = None) -> str:
    """Return the text of the file for `stages`, all there are by default."""
    found = read_stages() if stages is None else list(stages)
    text = format_yaml({"stages": {stage.name: _entry(stage) for stage in found}})
    return HEAD + _STAGE.sub("\n\n", text).replace("\n\n", "\n", 1)


def write_dvc_yaml(path: Path = FILE) -> bool:
    """Write the file; return whether it was another."""
    if not path.with_name("params.yaml").is_file():
        raise MissingFileError(
            path.with_name("params.yaml"), hint="Run this in the project's folder."
        )
    text = dvc_yaml()
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    with AtomicFile(path) as part:
        part.write_text(text, encoding="utf-8")
    return True


def check_dvc_yaml(path: Path = FILE) -> None:
    """Raise DeclarationError, with the first line that differs, if the file is not as declared."""
    there = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    for number, (mine, declared) in enumerate(zip_longest(there, dvc_yaml().splitlines()), 1):
        if mine != declared:
            raise DeclarationError(
                f"{path}:{number}: the stages declare {_shown(declared)}, there is {_shown(mine)}\n"
                "Change the signature in pipeline/stages and then type: distillery dag --write"
            )


def _shown(line: str | None) -> str:
    return "no such line" if line is None else repr(line.strip())


def _entry(stage: Declared) -> dict[str, Any]:
    """Return the entry of one stage, a family of stages as DVC's `foreach`."""
    body = _body(stage)
    each = stage.stage.each
    if not each:
        return body
    return {"foreach": f"${{{each}}}" if isinstance(each, str) else inline([*each]), "do": body}


def _body(stage: Declared) -> dict[str, Any]:
    read = [option.path for option in stage.options if option.role == "in"]
    body: dict[str, Any] = {
        "desc": stage.description,
        "cmd": folded(_command(stage)),
        "deps": [*dict.fromkeys(_filled(stage, path) for path in (*read, *stage.reads))],
    }
    if not body["deps"]:
        del body["deps"]
    if params := _params(stage):
        body["params"] = inline(params)
    for section, roles in (
        ("outs", ("out", "uncached")),
        ("metrics", ("metrics",)),
        ("plots", ("plot",)),
    ):
        outs = [_out(stage, option) for option in stage.outs if option.role in roles]
        if outs:
            body[section] = outs
    if stage.stage.machine_dependent:
        body["meta"] = inline({"machine_dependent": True})
    return body


def _command(stage: Declared) -> list[str]:
    """Return the command in the parts that stand on a line each."""
    item = f" '{_filled(stage, '{key}')}'" if _takes_key(stage) else ""
    lines = [f"python -m pipeline {stage.command}{item}"]
    for option in stage.options:
        path = _filled(stage, option.path)
        flag = "--" + option.name.replace("_", "-")
        # What params.yaml fills is quoted: no name of it reaches the shell as more than a word.
        lines.append(f"{flag} '{path}'" if "$" in path else f"{flag} {path}")
    return lines


def _takes_key(stage: Declared) -> bool:
    return any(argument.kind in ("key", "item") for argument in stage.arguments)


def _params(stage: Declared) -> list[Any]:
    keys = [argument.key for argument in stage.arguments if argument.watched and argument.key]
    keys = [_filled(stage, key) for key in (*keys, *stage.stage.watches)]
    own: list[Any] = [*dict.fromkeys(sorted(keys, key=lambda key: key != "seed"))]
    return own if stage.name == "code" else [*own, {CODE_KEYS: [stage.name]}]


def _out(stage: Declared, option: Option) -> dict[str, Any]:
    settings: dict[str, Any] = {} if option.role == "out" else {"cache": False}
    settings["persist"] = True
    if option.plot is not None:
        settings |= vars(option.plot)
    return {_filled(stage, option.path): inline(settings)}


def _filled(stage: Declared, path: str) -> str:
    """Return a path with DVC's own holes: of the item, of its entry, or of params.yaml."""
    key = "${key}" if stage.stage.each and not is_list(stage.stage.each) else "${item}"
    others = {name: f"${{{name}}}" if "." in name else f"${{item.{name}}}" for name in holes(path)}
    return fill(path, {**others, "key": key})
