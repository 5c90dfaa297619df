"""The kill loop: a command is killed at a drawn instant, goes on, and is compared with a calm run.

Instants are drawn with a seed, one from each of as many equal parts of the work's duration as there
are kills. The work begins where the claim says so: a process that is still importing has nothing
to lose. A kill that comes after the end is drawn again.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness import ROOT, Broken, Measurement
from benchmarks.kills._processes import finish, kill_tree, start

KILLS = 20
SEED = 7
DRAWS = 10
POLL_S = 0.0005
SHOWN = 5

# By name: hashes of files, rows of a table, records of a server.
Outputs = Mapping[str, object]


class Subject:
    """A command to kill, and what must hold after it; a claim overrides what is its own.

    `log` takes what the command prints. A run of more than `limit_s` is stuck. `span_s` is the time
    that instants are drawn from, where that is not all of the work.
    """

    limit_s = 180.0
    span_s: float | None = None

    def __init__(self, log: Path) -> None:
        self.log = log

    def reset(self) -> None:
        """Make the state that the command finds."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """Return the command to kill, which is also what a person would type to go on."""
        raise NotImplementedError

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the work has begun."""
        return True

    def counts(self) -> bool:
        """Return whether a kill came where it should; it is drawn again otherwise."""
        return True

    def after_kill(self) -> list[str]:
        """Return what is wrong before anything is run again."""
        return []

    def is_done(self) -> bool:
        """Return whether the killed run had ended its work, so that there is nothing to go on with.

        `after_kill` has looked at its outputs then; what lies beside them nobody has cleared away.
        """
        return False

    def at_end(self) -> list[str]:
        """Return what is wrong after the run went on, besides unequal outputs."""
        return []

    def outputs(self) -> Outputs:
        """Return what must be as after a calm run, by name."""
        raise NotImplementedError

    def start(self) -> subprocess.Popen[bytes]:
        """Start the command as the leader of a process group."""
        return start(self.command(), cwd=ROOT, log=self.log)


@dataclass
class Tally:
    """How many kills there were, after how many all was well, and what was wrong after the rest."""

    kills: int = 0
    good: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, where: str, problems: Sequence[str]) -> None:
        """Count one kill; `where` tells how to repeat it."""
        self.kills += 1
        self.good += not problems
        shown = list(problems[:SHOWN])
        if len(problems) > SHOWN:
            shown.append(f"and {len(problems) - SHOWN} more")
        self.problems += [f"{where}: {problem}" for problem in shown]


def how_many() -> int:
    """Return the kills of a claim: 20, or what KILLS in the environment says."""
    return int(os.environ.get("KILLS", KILLS))


def kill_all(subject: Subject, *, kills: int, seed: int = SEED) -> Tally:
    """Kill `subject` so many times, each time from its first state, and let it go on."""
    calm, seconds = _calm_run(subject)
    seconds = subject.span_s or seconds
    draw = random.Random(seed)
    tally = Tally()
    for number in range(kills):
        instant = _kill_midway(subject, seconds, number / kills, (number + 1) / kills, draw)
        where = f"seed {seed}, kill {number + 1} at {instant:.4f} s of {seconds:.4f}"
        tally.add(where, _go_on(subject, calm))
    return tally


def _calm_run(subject: Subject) -> tuple[Outputs, float]:
    """Run undisturbed; return the outputs and the seconds from the beginning of the work."""
    subject.reset()
    process = subject.start()
    _wait_until_begun(subject, process)
    began = time.perf_counter()
    problems = finish(process, subject.log, subject.limit_s) + subject.at_end()
    seconds = time.perf_counter() - began
    if problems:
        raise Broken([], [f"undisturbed: {problem}" for problem in problems])
    return subject.outputs(), seconds


def _kill_midway(
    subject: Subject, seconds: float, low: float, high: float, draw: random.Random
) -> float:
    """Kill the work in the part of it between two shares; return when."""
    for _ in range(DRAWS):
        subject.reset()
        instant = seconds * draw.uniform(low, high)
        process = subject.start()
        _wait_until_begun(subject, process)
        time.sleep(instant)
        if kill_tree(process):
            if subject.counts():
                return instant
        elif process.returncode:
            raise Broken([], finish(process, subject.log, subject.limit_s))
        low, high = 0.0, 1.0
    raise Broken([], [f"{DRAWS} kills came too late: the work is too short"])


def _go_on(subject: Subject, calm: Outputs) -> list[str]:
    problems = subject.after_kill()
    if subject.is_done():
        return problems + subject.at_end()
    problems += finish(subject.start(), subject.log, subject.limit_s)
    return problems + subject.at_end() + differences(calm, subject.outputs())


def _wait_until_begun(subject: Subject, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not subject.begun(process):
        time.sleep(POLL_S)


def differences(calm: Outputs, other: Outputs) -> list[str]:
    """Return one line for every output that is missing, unequal or should not be there."""
    return [
        f"{name}: {'missing' if name not in other else 'unequal' if name in calm else 'left over'}"
        for name in sorted({*calm, *other})
        if calm.get(name) != other.get(name)
    ]


def hashes(*places: Path) -> dict[str, str]:
    """Return the hash of each file at or below `places`, hidden ones too."""
    return {
        str(path.relative_to(place.parent)): hashlib.sha256(path.read_bytes()).hexdigest()
        for place in places
        for path in (sorted(place.rglob("*")) if place.is_dir() else [place])
        if path.is_file()
    }


def measured(
    name: str, tallies: Iterable[Tally], *, rows: int | None = None, note: str | None = None
) -> Measurement:
    """Return the row of a claim; raises Broken, with the row, if anything was wrong."""
    found = list(tallies)
    kills, good = sum(one.kills for one in found), sum(one.good for one in found)
    row = Measurement(name, float(good), f"kills of {kills}", rows=rows, note=note)
    if good < kills:
        raise Broken([row], [problem for one in found for problem in one.problems])
    return row
