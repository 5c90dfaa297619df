"""A device of a test's own: the machine's would be gone if what is tested failed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest


def a_device(path: Path) -> None:
    """Make `path` a device that takes everything, or skip the test."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("no right to make a device here, which takes root")
