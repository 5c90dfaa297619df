"""Salted pseudonyms: an annotator's name never enters a file that leaves this machine."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

from pipeline.errors import PipelineError

SALT_FILE = Path(".distillery/annotation/salt")
_PSEUDONYM = re.compile(r"^a-[0-9a-f]{12}$")


class Pseudonyms:
    """Turns names into `a-` and 12 hex digits; the same name under one salt gives the same one.

    Names that are pseudonyms already stay as they are.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    def __call__(self, name: str) -> str:
        """Return the pseudonym of `name`."""
        if _PSEUDONYM.match(name):
            return name
        digest = hashlib.blake2b(name.encode(), key=self._salt, digest_size=6)
        return f"a-{digest.hexdigest()}"


def load_pseudonyms(path: Path = SALT_FILE) -> Pseudonyms:
    """Read the salt of this checkout, or make one that only its owner can read.

    Who loses the file gets other pseudonyms for the same people from then on.
    """
    try:
        salt = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        salt = secrets.token_hex(32)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(salt + "\n")
    if not re.fullmatch(r"[0-9a-f]{64}", salt):
        raise PipelineError(
            f"{path}: not a salt (64 hex digits)\nPut the old file back, or delete it: "
            "annotators then get new pseudonyms."
        )
    return Pseudonyms(bytes.fromhex(salt))
