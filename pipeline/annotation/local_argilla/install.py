"""Argilla's server in a virtual environment of its own: its pins clash with ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.addresses import without_credentials
from pipeline.annotation.local_argilla.home import Home
from pipeline.errors import OfflineError, PipelineError

LOCK = Path(__file__).with_name("requirements.lock")
INSTALL_TIMEOUT_S = 900


def is_installed(home: Home) -> bool:
    """Return whether the environment holds what the lock file asks for."""
    marker = _marker(home)
    return marker.is_file() and marker.read_text(encoding="utf-8") == _wanted()


def install(home: Home) -> None:
    """Make the environment: about 600 MB, half a minute to a few minutes.

    A killed install leaves no marker, and the next one starts over.
    """
    if is_installed(home):
        return
    if os.environ.get("DISTILLERY_OFFLINE") == "1":
        raise OfflineError(
            f"{home.venv}: Argilla's server is not installed, and DISTILLERY_OFFLINE=1 is set\n"
            "Unset it for the first `distillery annotate up`."
        )
    shutil.rmtree(home.venv, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(home.venv)])
    pip = [str(home.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", "--requirement", str(LOCK)])
    _marker(home).write_text(_wanted(), encoding="utf-8")


def _marker(home: Home) -> Path:
    return home.venv / "distillery-lock.txt"


def _wanted() -> str:
    return LOCK.read_text(encoding="utf-8")


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PipelineError(
            f"installing Argilla's server took over {INSTALL_TIMEOUT_S} s\n"
            "Check the way to the package index and run the command again."
        ) from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "WARNING" not in line][-3:]
        raise PipelineError(
            f"Argilla's server could not be installed: {without_credentials(' '.join(said))}\n"
            "Check the way to the package index and the disk (600 MB), and run the command again."
        )
