"""What the machine refuses, wherever it surfaces: one message, not a traceback."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import REFUSALS, TargetError

_ONE_EACH = "Give each a path of its own."
# How Python keeps bytes of a name that are no UTF-8.
_NO_UTF_8 = re.compile("[\udc80-\udcff]")


def require_different(**outputs: Path | None) -> None:
    """Raise TargetError if two of the options name one path: the second would replace the first."""
    named: dict[str, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        earlier = named.setdefault(os.path.realpath(path), option)
        if earlier != option:
            raise TargetError(
                path, f"--{earlier} and --{option} name this one path", hint=_ONE_EACH
            )


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Raise TargetError for a full or read-only disk, or a path that cannot be used.

    A path that this process is writing already was named by two options. Any other OSError is a bug
    of ours and stays as it is.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except TargetError as error:
        if not error.problem.startswith(f"process {os.getpid()} "):
            raise
        raise TargetError(error.path, "two options name this one path", hint=_ONE_EACH) from error
    except UnicodeEncodeError as error:
        path = error.object
        if not (_NO_UTF_8.search(path) and "\n" not in path and os.sep in path):
            raise
        raise TargetError(
            Path(path),
            "the path is not UTF-8, and no table is read or written under such a name",
            hint="Rename it, or choose another path.",
        ) from error
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        named = error.filename2 or error.filename
        raise TargetError.of(Path(str(named)) if named else Path.cwd(), error) from error
