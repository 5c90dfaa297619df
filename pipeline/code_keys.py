"""One key per stage: a hash over all code that the stage imports, and the files beside it.

A stage depends on its key and not on hundreds of files, so an edit reruns what imports it and
nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_RUN = re.compile(r"^def run\(", re.MULTILINE)
# Compiled code, and what a killed copy left.
_IGNORED = (".pyc", ".pyo", ".part")


def stage_names(package: Path = PACKAGE) -> list[str]:
    """Return the names of all stages: the modules in `stages` of a package that have a `run`."""
    return sorted(
        file.stem
        for file in (package / "stages").glob("*.py")
        if _RUN.search(file.read_text(encoding="utf-8"))
    )


def code_keys(package: Path, stages: Iterable[str]) -> dict[str, str]:
    """Return the key of each of `stages`, modules of `<package>.stages`, by name.

    It covers the module, all modules that it imports directly or not, the `__init__` of each
    package on the way, and every file that is no Python in the folders of those packages. Where it
    may use what installed packages add, it covers those packages.
    """
    import grimp

    from pipeline.extensions import distributions

    graph = grimp.build_graph(package.name, cache_dir=None)
    outside = [f"{found.name} {found.version} {found.sha256}" for found in distributions()]
    files = {module: _file(package, module) for module in graph.modules}
    data = _data_files(package, files)
    everything = {*files.values(), *(file for beside in data.values() for file in beside)}
    hashes = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in everything}
    keys = {}
    for stage in stages:
        module = f"{package.name}.stages.{stage}"
        modules = graph.find_upstream_modules(module) | {module}
        packages = {parent for name in modules for parent in _parents(name)}
        # The two topmost hold no code that a result depends on.
        packages -= {package.name, f"{package.name}.stages"}
        covered = {files[name] for name in modules | packages}
        beside = [file for name in packages for file in data.get(name, ())]
        added = outside if f"{package.name}.extensions" in modules else []
        keys[stage] = _key(package, hashes, {*covered, *beside}, added)
    return keys


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _file(package: Path, module: str) -> Path:
    path = package.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _data_files(package: Path, files: Mapping[str, Path]) -> dict[str, list[Path]]:
    """Return the files that are no Python, by the innermost package whose folder holds them."""
    folders = {file.parent: name for name, file in files.items() if file.name == "__init__.py"}
    data: dict[str, list[Path]] = {}
    for file in sorted(package.rglob("*")):
        if file.is_file() and file.suffix not in (".py", *_IGNORED):
            owner = next(folders[folder] for folder in file.parents if folder in folders)
            data.setdefault(owner, []).append(file)
    return data


def _key(
    package: Path, hashes: Mapping[Path, str], covered: Iterable[Path], added: Sequence[str]
) -> str:
    lines = sorted(f"{file.relative_to(package).as_posix()} {hashes[file]}" for file in covered)
    return hashlib.sha256("\n".join([*lines, *added]).encode()).hexdigest()[:16]
