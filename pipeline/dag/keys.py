"""Whether the keys of params.yaml that a stage names are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_origin

from pipeline.dag.declared import Argument, DeclarationError
from pipeline.declare import Stage
from pipeline.layout import holes
from pipeline.names import is_slug

# Filled by DVC from the item that a family runs for.
_ITEM = "key"


def is_list(each: str | tuple[str, ...]) -> bool:
    """Whether the items of a family are a list of names, for which DVC has no `key`."""
    from pipeline.params import Params

    return not isinstance(each, str) or get_origin(Params.model_fields[each].annotation) is tuple


def check_keys(
    name: str, place: str, stage: Stage, arguments: Iterable[Argument], paths: Iterable[str]
) -> None:
    """Raise DeclarationError for a key, a hole or a family that params.yaml does not have."""
    from pipeline.params import Params

    def refuse(what: str, hint: str) -> DeclarationError:
        return DeclarationError(f"{place}: {what}\n{hint}")

    known = {*Params.model_fields, name}
    sections = f"There are: {', '.join(sorted(known))}"
    if isinstance(stage.each, str) and stage.each not in known:
        raise refuse(f"stage {name} runs for each of {stage.each!r}, no section", sections)
    if not isinstance(stage.each, str) and not all(is_slug(item) for item in stage.each):
        raise refuse(f"stage {name} runs for {stage.each}", "Names are lower-case slugs.")
    for argument in arguments:
        if argument.kind != "param" and not stage.each:
            raise refuse(f"{argument.name!r} is of an item, and {name} has none", "Give it `each`.")
        first = argument.key.partition(".")[0]
        if argument.kind == "param" and first and first not in known:
            raise refuse(f"{argument.name!r} is {argument.key!r}, no section", sections)
    for key in stage.watches:
        if key.partition(".")[0] not in known:
            raise refuse(f"stage {name} watches {key!r}, no section", sections)
    for path in (*paths, *stage.reads):
        for hole in holes(path):
            if "." in hole and hole.partition(".")[0] not in known:
                raise refuse(f"{path} has {hole!r}, no section", sections)
            if "." not in hole and not stage.each:
                raise refuse(f"{path} has {hole!r}, and {name} has no items", "Give it `each`.")
