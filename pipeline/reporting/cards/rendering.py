"""Rendering Markdown in which every figure is traced to its file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.reporting.facts import Fact, Figure, Shown, fixed, percent, shown

TEMPLATES = Path(__file__).parent / "templates"
# What Markdown or HTML would take for a mark of its own.
_MARKS = re.compile(r"[\\`*~\[\]<>|&]|(?<!\w)_|_(?!\w)")


@dataclass(frozen=True)
class Trace:
    """A figure of a card: the text that is printed and where it is from."""

    text: str
    figure: Figure


@dataclass(frozen=True)
class Card:
    """The text of a card and the figures in it, in their order."""

    text: str
    traces: tuple[Trace, ...]


def escaped(text: str) -> str:
    """Return text from data as Markdown that shows it and does nothing else."""
    return _MARKS.sub(lambda match: f"\\{match.group()}", text)


def render_card(template: str, front: str, **variables: Any) -> Card:
    """Render `template`; `front` is the YAML that goes before it.

    Facts and figures are traced. Other values are texts of ours or names out of file names.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    traces: list[Trace] = []

    def finalize(value: object) -> object:
        if isinstance(value, Fact | Figure):
            value = shown(value)
        if isinstance(value, Shown):
            text = escaped(value.text)
            traces.append(Trace(text, value.figure))
            return text
        return value

    # Markdown is no HTML: what comes from data is escaped by `finalize`.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
        autoescape=False,  # noqa: S701
    )
    environment.filters.update(percent=percent, fixed=fixed, escaped=escaped)
    body = environment.get_template(template).render(**variables)
    body = re.sub(r"\n{3,}", "\n\n", body).strip()
    return Card(f"---\n{front.strip()}\n---\n\n{body}\n", tuple(traces))
