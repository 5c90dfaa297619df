"""`Section`: the base of every typed part of `params.yaml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen part of `params.yaml`; an unknown key is an error, not a silent default.

    No error repeats what was given: it may be a secret in the wrong place.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), hide_input_in_errors=True
    )
