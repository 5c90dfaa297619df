"""`Section`: the base of every typed part of `params.yaml`; `home`: where ledger and secret are."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen part of `params.yaml`; an unknown key is an error, not a silent default.

    No error repeats what was given: it may be a secret in the wrong place.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), hide_input_in_errors=True
    )


def home() -> Path:
    """Return the folder of ledger, model and secret: outside DVC's outputs, and never in git."""
    return Path(os.environ.get("DISTILLERY_HOME", ".distillery"))
