"""Claim: what is killed at any instant goes on, loses nothing, and ends as if undisturbed.

Each module is a claim of its own, killed twenty times with SIGKILL (`make bench ONLY=kills_export`
runs one, KILLS=3 kills less). Together they run two at a time: much of each is waiting.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.harness import Broken, Measurement

AT_A_TIME = 2
# The longest first, so that the last ones fill the gaps.
CLAIMS = (
    "repro",
    "training",
    "push",
    "adjudicate",
    "pull",
    "teacher",
    "export",
    "ledger_import",
    "ledger_prune",
)


def run() -> list[Measurement]:
    """Run all claims, each in a process that logs its own row."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        codes = dict(zip(CLAIMS, pool.map(_run_one, CLAIMS), strict=True))
    if failed := [f"kills_{name}" for name, code in codes.items() if code]:
        raise Broken([], [f"{name}: see above" for name in failed])
    return []


def _run_one(name: str) -> int:
    command = [sys.executable, "-m", "benchmarks", f"kills_{name}"]
    return subprocess.run(command, check=False).returncode
