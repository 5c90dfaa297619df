"""`python -m studies NAME --data DIR`: run a study on real data and keep its figures."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli import main

RUN = "run.json"
PACKAGES = ("numpy", "pyarrow", "pydantic", "scikit-learn", "torch", "transformers", "trl", "dvc")

app = typer.Typer(
    name="studies",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def study(
    name: Annotated[str | None, typer.Argument(help="which study; none lists them")] = None,
    data: Annotated[Path | None, typer.Option(help="folder of the real data")] = None,
    out: Annotated[Path, typer.Option(help="where results go")] = Path("reports/studies"),
) -> None:
    """Run study NAME on real data and leave its figures, never texts, in OUT/NAME."""
    import tempfile

    from pipeline.cli.console import note, say
    from pipeline.errors import MissingFileError, PipelineError
    from pipeline.storage import AtomicFolder, write_json
    from studies import STUDIES

    if name is None:
        say("\n".join(STUDIES))
        return
    if name not in STUDIES:
        raise PipelineError(f"study {name!r}: not known\nThere are: {', '.join(STUDIES)}")
    if data is None:
        raise PipelineError("--data is missing: the folder of the real data")
    if not data.is_dir():
        raise MissingFileError(data, hint="Give --data the folder of the real data.")
    # What is written below would mark the tree as changed.
    started, clock, commit = datetime.now(UTC), time.monotonic(), _commit()
    folder = AtomicFolder(out / name, what=f"study {name}", known=_is_study)
    with tempfile.TemporaryDirectory() as scratch, folder as part:
        results = STUDIES[name](data.resolve(), Path(scratch))
        for file, figures in results.items():
            write_json(part / file, figures)
        write_json(
            part / RUN,
            {
                "command": f"python -m studies {name} --data DIR",
                "started": started.isoformat(timespec="seconds"),
                "wall_s": round(time.monotonic() - clock, 1),
                "commit": commit,
                "machine": describe_machine(),
                "packages": {package: version(package) for package in PACKAGES},
            },
        )
    for file in results:
        note(f"{out / name / file}")


def _is_study(folder: Path) -> bool:
    """Return whether `folder` holds figures and how they were made, and nothing else."""
    found = list(folder.iterdir())
    return RUN in {one.name for one in found} and all(one.suffix == ".json" for one in found)


def describe_machine() -> dict[str, Any]:
    """Return what a reader needs to judge a time: processor, cores, memory; never a name."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _first("/proc/cpuinfo", "model name"),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "cores": len(os.sched_getaffinity(0)),
    }


def _first(file: str, key: str) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "unknown"
    )


def _commit() -> str:
    """Return the commit that ran, marked where the tree had other changes."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main(app)
