"""`distillery doctor`: what is missing, and what to type."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

FREE_GIB = 6
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `remedy` is what to type where `ok` is false.

    What is not `needed` is only for some commands or tests.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    needed: bool = True


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("doctor")(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="print the checks as JSON")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="mend what a killed DVC left, and look at nothing else")
    ] = False,
) -> None:
    """Look at this machine and this folder; exit 1 if something needed is missing."""
    from pipeline.cli.console import note, say, say_json
    from pipeline.dag.code_file import drop_stale_keys
    from pipeline.dvc_locks import mend_locks

    if fix:
        mended = [problem for problem in (mend_locks(Path()), drop_stale_keys(Path())) if problem]
        for problem in mended:
            note(f"mended: {problem}")
        if not mended:
            say("nothing to mend")
        return
    checks = list(examine())
    if as_json:
        say_json([asdict(check) for check in checks])
    else:
        for check in checks:
            sign = "ok     " if check.ok else "MISSING" if check.needed else "absent "
            say(f"{sign}  {check.name}: {check.found}")
            if not check.ok:
                say(f"         {check.remedy}")
    if any(check.needed and not check.ok for check in checks):
        raise typer.Exit(1)


def examine() -> Iterator[Check]:
    """Yield every check, the most basic first."""
    for check in (_python, _tools, _packages, _project, _disk, _browser, _data):
        yield from check()


def _python() -> Iterator[Check]:
    found = ".".join(map(str, sys.version_info[:3]))
    right = sys.version_info[:2] == (3, 11)
    yield Check("Python 3.11", right, found, "Install Python 3.11 and run: make clean repro")
    inside = sys.prefix != sys.base_prefix
    yield Check(
        "virtual environment",
        inside,
        "active" if inside else "none",
        "make repro   (or: .venv/bin/distillery doctor)",
    )


def _tools() -> Iterator[Check]:
    for tool in ("git", "make"):
        path = shutil.which(tool)
        yield Check(tool, path is not None, path or "not found", f"apt-get install {tool}")


def _packages() -> Iterator[Check]:
    lock = Path("requirements.lock")
    if not lock.is_file():
        return
    pins = [line.strip().split("==") for line in lock.read_text().splitlines() if "==" in line]
    wrong = [f"{name} {found or 'missing'}" for name, pin in pins if (found := _off(name, pin))]
    yield Check(
        "packages of requirements.lock",
        not wrong,
        f"{len(pins) - len(wrong)} of {len(pins)}" + (f"; {', '.join(wrong[:5])}" if wrong else ""),
        "make venv",
    )


def _off(name: str, pin: str) -> str | None:
    """Return what is installed instead of `pin`, or None; a local build such as +cpu is fine."""
    try:
        found = version(name)
    except PackageNotFoundError:
        return "missing"
    return None if found.partition("+")[0] == pin.partition("+")[0] else found


def _project() -> Iterator[Check]:
    from pipeline.dvc_locks import find_problem
    from pipeline.errors import PipelineError
    from pipeline.params import load_params

    here = Path("dvc.yaml").is_file()
    yield Check("project folder", here, str(Path.cwd()), "cd to the folder with dvc.yaml in it")
    if not here:
        return
    problem = find_problem(Path())
    yield Check("DVC's locks", not problem, problem or "free", "distillery doctor --fix")
    try:
        params = load_params()
    except PipelineError as error:
        yield Check("params.yaml", False, str(error), "Mend the keys that are named.")
        return
    yield Check("params.yaml", True, f"{len(params.corpora)} corpora")
    raw = params.ingest.path
    yield Check(
        "raw data",
        raw.is_file(),
        str(raw),
        f"distillery fetch {params.ingest.source}, or set ingest.path in params.yaml",
    )


def _disk() -> Iterator[Check]:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    yield Check(
        f"{FREE_GIB} GiB of free disk",
        free >= FREE_GIB,
        f"{free:.0f} GiB free",
        "Free some space; `make clean` drops what can be built again.",
    )


def _browser() -> Iterator[Check]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    yield Check(
        "Chromium (browser tests only)",
        path is not None,
        path or "not found",
        "apt-get install chromium",
        needed=False,
    )


def _data() -> Iterator[Check]:
    named = os.environ.get("DISTILLERY_DATA")
    folder = Path(named or "../shared/data")
    yield Check(
        "real data (tests and studies only)",
        folder.is_dir(),
        str(folder) if folder.is_dir() else "not found",
        "export DISTILLERY_DATA=FOLDER, or fetch a source: distillery fetch",
        needed=False,
    )
