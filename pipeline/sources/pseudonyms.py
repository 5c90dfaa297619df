"""Pseudonyms of raters and annotators, and the secret that they come from.

A pseudonym is a keyed hash of an id: it depends on id and key alone, so neither the order of rows
nor a split of the file changes it, and without the key no list of likely ids leads back to it.
People's own data is hashed with a secret that stays in `.distillery`. Published files, whose ids
are pseudonyms already, are hashed with a key that everybody has, so that builds agree between
machines.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

from pipeline.config import home
from pipeline.errors import PipelineError

SECRET = Path("people/secret")
# Where the secret was while it was that of annotators alone.
OLD_SECRET = Path("annotation/salt")
_SECRET_PATTERN = re.compile(r"[0-9a-f]{64}")
_PUBLIC_KEY = b"empathy distillery: public ratings"


class Raters:
    """Turns the ids of raters into `r-` and 12 hex digits, one for one under the same key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def pseudonym(self, rater: str) -> str:
        """Return the pseudonym of `rater`."""
        return f"r-{_digest(rater, self._key, b'rater', 6)}"

    @property
    def fingerprint(self) -> str:
        """Return 8 hex digits that tell keys apart and lead back to none."""
        return _digest("", self._key, b"fingerprint", 4)


def _digest(text: str, key: bytes, person: bytes, size: int) -> str:
    """Return `size` bytes in hex; `person` keeps the uses of one key apart."""
    encoded = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(encoded, key=key, person=person, digest_size=size).hexdigest()


PUBLISHED = Raters(_PUBLIC_KEY)


def raters_of_this_run() -> Raters:
    """Return pseudonyms that mean nothing outside this run: their key is kept nowhere."""
    return Raters(secrets.token_bytes(32))


def known_raters(folder: Path | None = None) -> Raters:
    """Return pseudonyms by the secret if there is one, else those of this run; nothing is made."""
    for path in (secret_file(folder), _old_file(folder)):
        if os.path.lexists(path):
            return Raters(bytes.fromhex(_read(path)))
    return raters_of_this_run()


def load_secret(folder: Path | None = None) -> bytes:
    """Return the 32 bytes of the secret in `folder`, made for its owner alone where there is none.

    `folder` is `.distillery`, or what DISTILLERY_HOME says. The salt that earlier versions kept for
    annotators becomes the secret. Raises PipelineError for a file that others may read, that is no
    secret, or that differs from such a salt.
    """
    path, old = secret_file(folder), _old_file(folder)
    salt = _read(old) if os.path.lexists(old) else None
    if not os.path.lexists(path):
        _make(path, salt or secrets.token_hex(32))
    secret = _read(path)
    if salt is not None:
        if salt != secret:
            raise PipelineError(
                f"{path} and {old}: two secrets\nAnnotators' pseudonyms came from the second one "
                "so far. To keep them, move it over the first; else delete it."
            )
        old.unlink(missing_ok=True)
    return bytes.fromhex(secret)


def secret_file(folder: Path | None = None) -> Path:
    """Return where the secret is kept, in `folder` or in `.distillery`."""
    return (home() if folder is None else folder) / SECRET


def old_salt(folder: Path | None = None) -> Path | None:
    """Return where an earlier version kept the secret, None if nothing is there any more."""
    old = _old_file(folder)
    return old if os.path.lexists(old) else None


def _old_file(folder: Path | None) -> Path:
    """Return the old place, which was in the working folder whatever DISTILLERY_HOME said."""
    return (Path(".distillery") if folder is None else folder) / OLD_SECRET


def _make(path: Path, secret: str) -> None:
    """Write the secret whole or not at all; of two processes at once the first one's stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        descriptor, part = tempfile.mkstemp(dir=path.parent)  # readable by its owner alone
    except OSError as error:
        raise _unusable(path, "cannot be made", error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(f"{secret}\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(part, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise _unusable(path, "cannot be made", error) from error
    finally:
        Path(part).unlink()


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _unusable(path, "cannot be read", error) from error
    with os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode) and stat.S_IMODE(mode) & 0o077:
            raise PipelineError(f"{path}: others may read this secret\nchmod 600 {path}")
        secret = stream.read(100).decode("ascii", "replace").strip() if stat.S_ISREG(mode) else ""
    if not _SECRET_PATTERN.fullmatch(secret):
        raise PipelineError(
            f"{path}: not a secret (64 hex digits)\nPut the old file back, or delete it: raters "
            "and annotators then get new pseudonyms."
        )
    return secret


def _unusable(path: Path, what: str, error: OSError) -> PipelineError:
    return PipelineError(
        f"{path}: the secret of pseudonyms {what} ({error.strerror})\n"
        "It must be a file of yours, no link, in a folder that you may write to."
    )
