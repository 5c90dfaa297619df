"""Where the local server keeps its data, and the secrets that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.addresses import is_key
from pipeline.annotation.local_argilla.server import holder
from pipeline.errors import PipelineError, TargetError
from pipeline.storage import AtomicFile

DEFAULT_HOME = Path(".distillery/argilla")

# Passwords and keys that Argilla's own documentation and images start with, and their like.
_WELL_KNOWN = {
    "12345678",
    "1234567890",
    "admin",
    "admin.apikey",
    "annotator.apikey",
    "apikey",
    "argilla",
    "argilla.apikey",
    "argilla123",
    "owner",
    "owner.apikey",
    "owner1234",
    "password",
    "rubrix.apikey",
    "team.apikey",
}
_MIN_LENGTH = 16
# More than any file of secrets holds, characters.
_MOST = 10_000


@dataclass(frozen=True)
class Credentials:
    """The owner's account, and the key that signs logins so that they outlive a restart."""

    username: str
    password: str = field(repr=False)
    api_key: str = field(repr=False)
    auth_secret: str = field(repr=False)
    workspace: str = "distillery"


@dataclass(frozen=True)
class Home:
    """The folder of one server: database, secrets, log; `venv` may be shared between servers."""

    root: Path
    venv: Path

    @property
    def credentials_file(self) -> Path:
        """The secrets, readable by the owner alone."""
        return self.root / "credentials.json"

    @property
    def lock_file(self) -> Path:
        """Locked while a server lives; in it, who that is and on which port."""
        return self.root / "server.lock"

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.root / "server.log"

    @property
    def python(self) -> Path:
        """The server's own interpreter."""
        return self.venv / "bin" / "python"


def home_at(root: Path, venv: Path | None = None) -> Home:
    """Return the home in `root`, whose environment is its own unless told otherwise."""
    return Home(root=root.resolve(), venv=(venv or root / "venv").resolve())


def ensure_credentials(home: Home) -> Credentials:
    """Read the secrets, or make random ones on the first start; weak ones are refused."""
    _require_own(home)
    home.root.mkdir(parents=True, exist_ok=True)
    home.root.chmod(0o700)
    if not home.credentials_file.exists():
        fresh = Credentials(
            username="owner",
            password=secrets.token_urlsafe(24),
            api_key=secrets.token_urlsafe(48),
            auth_secret=secrets.token_hex(32),
        )
        with AtomicFile(home.credentials_file, mode=0o600) as part:
            part.write_text(json.dumps(asdict(fresh), indent=2), encoding="utf-8")
    return read_credentials(home)


def _require_own(home: Home) -> None:
    """Raise TargetError if the folder, soon closed to others, holds what no server put there."""
    ours = {"argilla.db", "credentials.json", "server.json", "server.lock", "server.log", "venv"}
    there = {path.name for path in home.root.iterdir()} if home.root.is_dir() else set()
    if there and not there & ours:
        raise TargetError(
            home.root, "not empty, and no server's folder", hint="Give --home a new folder."
        )


def read_credentials(home: Home) -> Credentials:
    """Return the secrets; a file that others can read, or a well-known secret, is an error.

    No error shows what the file holds, nor leads to an exception that does.
    """
    path = home.credentials_file
    try:
        with os.fdopen(holder.open_regular(path, os.O_RDONLY), encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise PipelineError(f"{path}: others can read it\nClose it: chmod 600 {path}")
            credentials: Credentials | None = Credentials(**json.loads(file.read(_MOST)))
    except FileNotFoundError as error:
        raise PipelineError(
            f"{path}: not there\nStart the server: distillery annotate up"
        ) from error
    except OSError as error:
        raise PipelineError(
            f"{path}: cannot be read ({error.strerror})\nMake it yours to read, or remove it."
        ) from error
    except (ValueError, TypeError, RecursionError):
        credentials = None
    if credentials is None or not all(map(_is_text, asdict(credentials).values())):
        raise PipelineError(
            f"{path}: not the server's secrets\n"
            "Delete it: the next `distillery annotate up` makes new ones."
        )
    for name in ("password", "api_key", "auth_secret"):
        value = getattr(credentials, name)
        if value.lower() in _WELL_KNOWN or len(value) < _MIN_LENGTH:
            raise PipelineError(
                f"{path}: {name} is a well-known default, or shorter than {_MIN_LENGTH} characters"
                "\nDelete the file: the next `distillery annotate up` makes random secrets."
            )
    return credentials


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and is_key(value)
