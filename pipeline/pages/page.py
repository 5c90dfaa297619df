"""Rendering one self-contained page."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.pages.text import printable, shortened
from pipeline.storage import AtomicFile

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Script:
    """A page's own script; `source` is the one script that the page's policy lets run."""

    text: str

    @property
    def source(self) -> str:
        """The hash by which the content security policy knows the script."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"


def page_environment(templates: Path, *, script: Path | None = None) -> Environment:
    """Return the environment for pages in `templates`, which may extend `page.html.j2`.

    Everything is escaped; the filters `printable` and `shortened` are for text from data.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader([templates, HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(printable=printable, shortened=shortened)
    code = Script(script.read_text(encoding="utf-8")) if script else None
    # Both are files of ours; nothing from data is ever marked safe.
    environment.globals.update(
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),  # noqa: S704
        script=Markup(code.text) if code else None,  # noqa: S704
        script_source=Markup(code.source) if code else "'none'",  # noqa: S704
    )
    return environment


def write_page(path: Path, html: str) -> None:
    """Write the page at once or not at all."""
    with AtomicFile(path) as part:
        part.write_text(html, encoding="utf-8", errors="backslashreplace", newline="\n")
