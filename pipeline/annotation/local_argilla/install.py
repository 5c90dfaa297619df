"""Argilla's server in a virtual environment of its own: its pins clash with ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline.addresses import without_credentials
from pipeline.annotation.local_argilla.home import Home
from pipeline.errors import OfflineError, PipelineError
from pipeline.storage import AtomicFile, AtomicFolder

# Written last, so that it says what is whole.
INSTALLED = "distillery-lock.txt"
LOCK = Path(__file__).with_name("requirements.lock")
INSTALL_TIMEOUT_S = 900


def is_installed(home: Home) -> bool:
    """Return whether the environment holds what the lock file asks for."""
    marker = home.venv / INSTALLED
    return marker.is_file() and marker.read_text(encoding="utf-8") == _wanted()


def install(home: Home) -> None:
    """Make the environment: about 600 MB, half a minute to a few minutes.

    A killed install leaves no lock file in it, and the next one starts over. A folder that is not
    such an environment is left alone: raises TargetError.
    """
    if is_installed(home):
        return
    if os.environ.get("DISTILLERY_OFFLINE") == "1":
        raise OfflineError(
            f"{home.venv}: Argilla's server is not installed, and DISTILLERY_OFFLINE=1 is set\n"
            "Unset it for the first `distillery annotate up`."
        )
    with _folder(home):
        pass  # an environment cannot be moved: it is made in its place
    _run([sys.executable, "-m", "venv", str(home.venv)])
    pip = [str(home.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", "--requirement", str(LOCK)])
    with AtomicFile(home.venv / INSTALLED) as part:
        part.write_text(_wanted(), encoding="utf-8")


def check_place(home: Home) -> None:
    """Raise TargetError if an environment is to be made where something else is."""
    if not is_installed(home):
        _folder(home).check()


def _folder(home: Home) -> AtomicFolder:
    return AtomicFolder(home.venv, what="environment", known=_is_ours, grows=True)


def _is_ours(venv: Path) -> bool:
    """Return whether an earlier version, which set no marker, installed all of `venv`."""
    return (venv / INSTALLED).is_file() and (venv / "pyvenv.cfg").is_file()


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
