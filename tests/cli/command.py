"""The `distillery` command, in a process of its own or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli import main
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


class Cli:
    """The command in this process: an error that is no message for the user fails the test."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        run: Callable[[], None] = main,
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self._run = run

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Return (exit code, standard output, standard error)."""
        self._monkeypatch.setattr(sys, "argv", ["distillery", *map(str, arguments)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit, match=r"^\d*$") as ended:
            self._run()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err
