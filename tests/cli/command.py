"""The `distillery` command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline.workspace import PROJECT


def distillery(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `python -m pipeline` in `cwd` with this checkout's code."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
