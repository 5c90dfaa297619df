"""One measurement, and how it is taken."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measurement:
    """One figure; `ratio` is ours over `rival`, measured in the same run.

    `peak_mib` is the largest resident memory of the process that did the work, in MiB. A `note`
    tells what the figure depends on.
    """

    name: str
    value: float
    unit: str
    rival: str | None = None
    ratio: float | None = None
    rows: int | None = None
    peak_mib: float | None = None
    note: str | None = None

    def as_json(self) -> str:
        """Return the measurement as one JSON line, figures rounded to four digits."""
        rounded = {
            key: float(f"{value:.4g}") if isinstance(value, float) else value
            for key, value in asdict(self).items()
            if key != "note" or value
        }
        return json.dumps(rounded)


class Skipped(Exception):  # noqa: N818  not an error: the data for this claim is not here
    """The claim cannot be measured on this machine, and why."""


class Broken(Exception):  # noqa: N818  what we claim, not the program, is broken
    """A claim does not hold: what was `measured` all the same, and each of the `problems`."""

    def __init__(self, measured: Sequence[Measurement], problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.measured = list(measured)


def data_folder() -> Path:
    """Return the folder of the real data, or skip."""
    folder = Path(os.environ.get("DISTILLERY_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        raise Skipped("the real data is not here (set DISTILLERY_DATA)")
    return folder


def peak_mib() -> float:
    """Return the largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Give a function that tells the seconds since the block began, and at its end."""
    started = time.perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.perf_counter()) - started
    ended.append(time.perf_counter())


def in_process(module: str, function: str, *arguments: str) -> Any:
    """Call `function` of `module` in a fresh process, where nothing else has used memory.

    The function takes strings and returns something that JSON can carry.
    """
    code = f"import json, sys, {module} as m; print(json.dumps(m.{function}(*sys.argv[1:])))"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
