"""Claim: `dvc repro` with nothing to do costs little more than DVC itself does.

Rival: a bare DVC pipeline of 48 stages in a chain, each with one small file, measured in turn
with ours in the same run; the median of the paired ratios counts.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import ROOT, Measurement, stopwatch
from pipeline.workspace import reproduce
from pipeline.yaml_files import format_yaml

ROUNDS = 7
# As many as there were when the claim was made: fewer stages of ours are to count as cheaper.
STAGES = 48


def run() -> list[Measurement]:
    """Bring this build up to date and build the bare one, then time their second runs."""
    reproduce(ROOT, [], quiet=True)
    with tempfile.TemporaryDirectory() as scratch:
        bare = Path(scratch) / "bare"
        _bare_pipeline(bare, STAGES)
        times = [(_seconds(ROOT), _seconds(bare)) for _ in range(ROUNDS)]
    return [
        Measurement(
            "dvc_noop",
            statistics.median(mine for mine, _ in times),
            "s",
            rival=f"bare DVC pipeline of {STAGES} stages",
            ratio=statistics.median(mine / theirs for mine, theirs in times),
            rows=STAGES,
        )
    ]


def _bare_pipeline(folder: Path, stages: int) -> None:
    folder.mkdir()
    chain = {
        f"stage{number}": {
            "cmd": f"echo {number} > out{number}",
            "deps": [f"out{number - 1}"] if number else [],
            "outs": [f"out{number}"],
        }
        for number in range(stages)
    }
    (folder / "dvc.yaml").write_text(format_yaml({"stages": chain}))
    for arguments in (["init", "--no-scm", "-q"], ["config", "core.analytics", "false"]):
        subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, check=True)
    reproduce(folder, [], quiet=True)


def _seconds(folder: Path) -> float:
    with stopwatch() as seconds:
        reproduce(folder, [], quiet=True)
    return seconds()
