"""What a stage says of itself in the signature of its `run`.

The parameters are the command line, the sections of params.yaml that are read, and the entry of
the DAG; `pipeline.dag` makes the three from them, and `pipeline.layout` has the paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from typing_extensions import TypeAliasType

T = TypeVar("T")

# A file or folder that is read, of that record or shape.
In = TypeAliasType("In", Path, type_params=(T,))
# One that is written, kept by DVC; the one of the last good run stays until there is a new one.
Out = TypeAliasType("Out", Path, type_params=(T,))
# The same, but not kept by DVC: what a minute makes again.
Uncached = TypeAliasType("Uncached", Path, type_params=(T,))
# Figures for `dvc metrics`, kept by git.
Metrics = Annotated[Path, "metrics"]
# Which of the items the stage runs for, and that item's entry in params.yaml.
Key = TypeAliasType("Key", T, type_params=(T,))
Item = TypeAliasType("Item", T, type_params=(T,))


class Folder:
    """A folder of tables, one per name."""


class Table:
    """A table of numbers that is no record."""


class Json:
    """One JSON document."""


class Yaml:
    """A YAML file."""


class Page:
    """A page, or a folder of pages, for people."""


class Model:
    """A folder that holds a trained model."""


@dataclass(frozen=True)
class Plot:
    """Rows that `dvc plots` shows: Annotated[Path, Plot(...)]."""

    x: str
    y: str
    template: str


@dataclass(frozen=True)
class Param:
    """A value of params.yaml by its dotted key; "" is all of it.

    A stage runs again when the value changes, unless it is not `watched`.
    """

    key: str
    watched: bool = True


@dataclass(frozen=True)
class Stage:
    """What a signature cannot say.

    `each` is the section of params.yaml, or the list, that the stage runs once for each entry of.
    `reads` are files beside the parameters, by their name in the table of paths or as `{key}` of
    params.yaml. `machine_dependent`: its numbers may be rounded otherwise on another processor.
    """

    each: str | tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    machine_dependent: bool = False
    command: str = ""
