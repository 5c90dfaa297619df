"""`Section`: the base of every typed part of `params.yaml`; `home`: where ledger and secret are."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

# DVC takes what begins so for an address, and fetches it; a drive of one letter is a path.
_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:")


class Section(BaseModel):
    """A frozen part of `params.yaml`; an unknown key is an error, not a silent default.

    No error repeats what was given: it may be a secret in the wrong place.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), hide_input_in_errors=True
    )


def as_local(path: Path) -> str:
    """Return `path` as a text that nothing takes for an address."""
    return f"./{path}" if _ADDRESS.match(str(path)) else str(path)


def is_local(value: Any) -> Any:
    """Return `value`; raises ValueError if it is an address, such as `s3://bucket/file`."""
    if isinstance(value, str) and _ADDRESS.match(value):
        raise ValueError(
            "this is an address, and only what is on this machine is read: get the file, and give "
            "its path (a name with a colon in it: put ./ before it)"
        )
    return value


# A path in `params.yaml`.
LocalPath = Annotated[Path, BeforeValidator(is_local)]


def home() -> Path:
    """Return the folder of ledger, model and secret: outside DVC's outputs, and never in git."""
    return Path(os.environ.get("DISTILLERY_HOME", ".distillery"))
