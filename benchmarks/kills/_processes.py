"""Processes that a claim starts and kills, with all that they started themselves."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.harness import ROOT


def start(
    command: Sequence[str], *, cwd: Path, log: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `command` as the leader of a process group, its words appended to `log`."""
    with log.open("ab") as said:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def kill_tree(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process, its group and all below it; return whether it was still running."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        below = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
        for child in below:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(below, timeout=10)
    return process.wait() == -signal.SIGKILL


def is_connected(process: subprocess.Popen[bytes], port: int) -> bool:
    """Return whether a process has a connection to `port`."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        there = psutil.Process(process.pid).net_connections("tcp")
        return any(one.raddr and one.raddr.port == port for one in there)
    return False


def finish(process: subprocess.Popen[bytes], log: Path, limit_s: float) -> list[str]:
    """Let a run come to its end; return what is wrong: it is stuck, or it stopped."""
    try:
        code = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        kill_tree(process)
        return [f"the run is stuck: over {limit_s:.0f} s"]
    if code == 0:
        return []
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return [f"the run stopped with {code}: {' | '.join(lines[-3:])}"]
