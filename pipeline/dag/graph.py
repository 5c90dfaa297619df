"""All stages in the order of a build, and what is wrong with them together."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.code_keys import stage_names
from pipeline.dag.declared import DeclarationError, Declared, Option
from pipeline.dag.signature import read_stage
from pipeline.layout import PATHS


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
