"""Read many spoiled files with one reader, in a process whose memory and time are bounded.

`python -m tests.fuzz.child READER INPUTS` prints what went wrong as JSON: a reader may return or
raise PipelineError, and nothing else.
"""

from __future__ import annotations

import faulthandler
import json
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from tests.fuzz.mutations import MUTATIONS
from tests.fuzz.readers import READERS, Reader

MEMORY = 3 * 1024**3
SECONDS = 20


class Stuck(BaseException):
    """A reader took over SECONDS."""


def main(name: str, inputs: int) -> None:
    """Read the whole files, then `inputs` spoiled ones."""
    reader = READERS[name]
    signal.signal(signal.SIGALRM, _stop)
    problems: dict[str, dict[str, Any]] = {}
    counts = {"read": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as scratch:
        seeds = reader.seeds(Path(scratch) / "seeds")
        folder = Path(scratch) / "folder"
        for seed in seeds:
            _write(folder, seed)
            reader.read(folder)  # a whole file is read, else what follows shows nothing
        _limit_memory()

        @settings(
            max_examples=inputs,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            st.integers(0, len(seeds) - 1),
            st.lists(st.integers(0, len(MUTATIONS) - 1), min_size=1, max_size=3),
            st.integers(0, 2**32),
        )
        def spoil_and_read(seed: int, mutations: list[int], chance: int) -> None:
            random = Random(chance)
            files = dict(seeds[seed])
            target = random.choice(reader.spoiled(sorted(files)))
            for mutation in mutations:
                files[target] = MUTATIONS[mutation](files[target], random)[: 4 * 1024**2]
            _write(folder, files)
            problem = _read(reader, folder, counts)
            if problem:
                where = problem["where"]
                if where not in problems:
                    problems[where] = {
                        **problem,
                        "file": target,
                        "bytes": repr(files[target][:300]),
                    }
                problems[where]["times"] = problems[where].get("times", 0) + 1

        spoil_and_read()
    sys.stdout.write(json.dumps({**counts, "problems": list(problems.values())}) + "\n")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _read(reader: Reader, folder: Path, counts: dict[str, int]) -> dict[str, Any] | None:
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True)
    signal.alarm(SECONDS)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            reader.read(folder)
        counts["read"] += 1
    except PipelineError as error:
        counts["refused"] += 1
        if len(str(error)) > 20_000:
            return {
                "where": "message",
                "error": f"{len(str(error))} characters: {str(error)[:100]}",
            }
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "/pipeline/" in frame.filename] or frames
        return {
            "where": f"{type(error).__name__} {Path(ours[-1].filename).name}:{ours[-1].lineno}",
            "error": f"{type(error).__name__}: {str(error)[:300]}",
            "trace": [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames[-6:]],
        }
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
    return None


def _stop(*_: object) -> None:
    raise Stuck


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
