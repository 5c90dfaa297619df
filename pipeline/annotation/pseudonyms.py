"""Pseudonyms of annotators: their names never enter a file that leaves this machine."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pipeline.sources.pseudonyms import load_secret

_PSEUDONYM = re.compile(r"a-[0-9a-f]{12}")


class Pseudonyms:
    """Turns names into `a-` and 12 hex digits; the same name under one key gives the same one.

    Names that are pseudonyms already stay as they are.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, name: str) -> str:
        """Return the pseudonym of `name`."""
        if _PSEUDONYM.fullmatch(name):
            return name
        # Raters are hashed with the same secret for another `person`: the two never meet.
        encoded = name.encode("utf-8", "surrogatepass")
        return f"a-{hashlib.blake2b(encoded, key=self._key, digest_size=6).hexdigest()}"


def load_pseudonyms(folder: Path | None = None) -> Pseudonyms:
    """Return the pseudonyms by the secret in `folder`, as `load_secret` finds or makes it.

    Who loses the secret gets other pseudonyms for the same people from then on.
    """
    return Pseudonyms(load_secret(folder))
