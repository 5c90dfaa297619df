"""The keys of code as they were written, and what DVC cannot see of them."""

from __future__ import annotations

from pathlib import Path

from pipeline.code_keys import PACKAGE, code_keys, stage_names
from pipeline.layout import place
from pipeline.yaml_files import format_yaml


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
