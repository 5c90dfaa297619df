"""The keys of code as they were written, and what DVC cannot see of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.code_keys import PACKAGE, Code, CodeError, code_keys, stage_names
from pipeline.layout import place
from pipeline.yaml_files import format_yaml, read_yaml

RUN_BY_DVC = "DVC_STAGE"


@contextmanager
def same_code(stage: str) -> Iterator[None]:
    """Raise CodeError if the code of a stage is another than its key says, before or after.

    An edit while a build runs would leave a result of one code under the key of another. A person
    who types the command of a stage has no build.
    """
    file, package = Path(place("code.out")), Path(place("code.package"))
    if stage == "code" or RUN_BY_DVC not in os.environ or not file.is_file():
        yield
        return
    _check(file, package, stage)
    yield
    _check(file, package, stage)


def _check(file: Path, package: Path, stage: str) -> None:
    keys = read_yaml(file)
    if not isinstance(keys, dict) or keys.get(stage) != Code(package).key(stage):
        raise CodeError(
            f"{package}: the code of stage {stage} was changed while the build ran\n"
            f"Nothing is lost. Run the same command again; if it says so again: rm {file}"
        )


def drop_stale_keys(folder: Path) -> str | None:
    """Remove the keys in `folder` if the code has others, so that the next build writes them.

    DVC sees an edit of our own code, but not that a package was installed which adds to it. Returns
    what was done, None if nothing was.
    """
    file, package = folder / place("code.out"), folder / place("code.package")
    # Where the folder holds another copy of the package than this one, its own code writes them.
    if not file.is_file() or package.resolve() != PACKAGE:
        return None
    if file.read_text(encoding="utf-8") == format_yaml(code_keys(package, stage_names(package))):
        return None
    file.unlink()
    return f"{file}: keys of other code"
