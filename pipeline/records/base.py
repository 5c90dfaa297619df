"""`Record`, the base of all that flows between stages, and content ids."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

NonBlank = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]


class Record(BaseModel):
    """One immutable row; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def content_id(kind: str, *parts: str | int | None) -> str:
    """Return `kind-` and 16 hex digits that depend on `parts` and on nothing else.

    The same content has the same id on every machine, in every row order and after a rename
    of the file: an id can therefore travel with an exported row and still be explained.
    64 bits: with a million rows, a collision has a chance of about 3 in 100 million.
    """
    canonical = json.dumps([kind, *parts], ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.blake2b(canonical.encode("utf-8", "surrogatepass"), digest_size=8)
    return f"{kind}-{digest.hexdigest()}"
