"""The paths that dvc.yaml gives to a stage, for commands that look at the same files."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any


def stage_paths(stage: str, key: str = "", item: dict[str, Any] | None = None) -> dict[str, Path]:
    """Return the paths of `stage@key` by option name, `item` being its entry in params.yaml.

    A stage that is one and not one per item has no key and no entry.
    """
    from pipeline.errors import MissingFileError
    from pipeline.yaml_files import read_yaml

    file = Path("dvc.yaml")
    if not file.is_file():
        raise MissingFileError(file, hint="Run this in the project's folder.")
    entry = read_yaml(file)["stages"][stage]
    command = entry.get("do", entry)["cmd"].replace("${key}", key)
    for name, value in (item or {}).items():
        command = command.replace(f"${{item.{name}}}", str(value))
    words = shlex.split(command)
    return {name[2:]: Path(value) for name, value in pairwise(words) if name.startswith("--")}
