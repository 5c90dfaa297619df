"""One key per stage: a hash over all code that the stage runs, and the files beside it.

A stage depends on its key and not on hundreds of files, so an edit reruns what imports it and
nothing else. What hands a stage its values, `pipeline.dag` and `pipeline.params`, is in no key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    import grimp

PACKAGE = Path(__file__).resolve().parent
_RUN = re.compile(r"^def run\(", re.MULTILINE)
# Compiled code, what a killed copy left, and what editors keep beside a file.
_IGNORED = (".pyc", ".pyo", ".part", ".swp", ".orig", ".bak")


class CodeError(PipelineError):
    """The package is not one that keys can be made of."""


def stage_names(package: Path = PACKAGE) -> list[str]:
    """Return the names of all stages: the modules in `stages` of a package that have a `run`."""
    files = (package / "stages").glob("*.py")
    return sorted(
        file.stem
        for file in files
        if file.stem.isidentifier() and file.is_file() and _RUN.search(_text(file))
    )


def code_keys(package: Path, stages: Iterable[str]) -> dict[str, str]:
    """Return the key of each of `stages`, modules of `<package>.stages`, by name.

    Raises CodeError if `package` is not the one that runs, or a file of it is no Python.
    """
    code = Code(package)
    return {stage: code.key(stage) for stage in stages}


class Code:
    """The modules of a package, what they import, and the files beside them."""

    def __init__(self, package: Path) -> None:
        from pipeline.extensions import distributions

        spec = find_spec(package.name) if package.name.isidentifier() else None
        runs = Path(spec.origin).parent if spec and spec.origin else None
        if runs != package.resolve():
            raise CodeError(
                f"{package}: not the package that runs, which is {runs}\n"
                "Run this in the folder of the project, as `python -m pipeline`."
            )
        self._package = package
        self._graph = _graph(package)
        self._files = {module: _file(package, module) for module in self._graph.modules}
        self._data = _data_files(package, self._files)
        self._hashes: dict[Path, str] = {}
        self._added = [f"{one.name} {one.version} {one.sha256}" for one in distributions()]

    def key(self, stage: str) -> str:
        """Return the key of a stage.

        It covers its module, all modules that it imports directly or not, the `__init__` of each
        package on the way with what that imports, and every file that is no Python in the folders
        of those packages. Where it may use what installed packages add, it covers those packages.
        """
        modules = self._closure(f"{self._package.name}.stages.{stage}")
        covered = {self._files[module] for module in modules}
        covered |= {file for module in modules for file in self._data.get(module, ())}
        lines = sorted(
            f"{file.relative_to(self._package).as_posix()} {self._hash(file)}" for file in covered
        )
        if f"{self._package.name}.extensions" in modules:
            lines += self._added
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def _closure(self, module: str) -> set[str]:
        modules: set[str] = set()
        waiting = [module]
        while waiting:
            name = waiting.pop()
            if name not in modules and name in self._files:
                modules.add(name)
                waiting += [*self._graph.find_modules_directly_imported_by(name), *_parents(name)]
        return modules

    def _hash(self, file: Path) -> str:
        if file not in self._hashes:
            self._hashes[file] = hashlib.sha256(file.read_bytes()).hexdigest()
        return self._hashes[file]


def _graph(package: Path) -> grimp.ImportGraph:
    import grimp
    from grimp.exceptions import SourceSyntaxError

    try:
        return grimp.build_graph(package.name, cache_dir=None)
    except SourceSyntaxError as error:
        raise CodeError(f"{error.filename}:{error.lineno}: no Python\nMend it.") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise CodeError(f"{package}: a file of it is no Python: {error}\nMend it.") from error


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _file(package: Path, module: str) -> Path:
    path = package.joinpath(*module.split(".")[1:])
    # A folder may be left of a package that became a module.
    return path / "__init__.py" if (path / "__init__.py").is_file() else path.with_suffix(".py")


def _data_files(package: Path, files: Mapping[str, Path]) -> dict[str, list[Path]]:
    """Return the files that are no module, by the innermost package whose folder holds them."""
    folders = {file.parent: name for name, file in files.items() if file.name == "__init__.py"}
    modules = set(files.values())
    data: dict[str, list[Path]] = {}
    for file in _files(package):
        if file not in modules:
            owner = next(folders[folder] for folder in file.parents if folder in folders)
            data.setdefault(owner, []).append(file)
    return data


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        name = path.name
        if name.startswith(".") or name.endswith(("~", *_IGNORED)) or name == "__pycache__":
            continue
        if path.is_dir():  # by a link, too
            yield from _files(path)
        elif path.is_file():
            yield path


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
