"""Rendering the page: each section by itself, so that a broken file spoils one of them alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.pages import page_environment
from pipeline.reporting.door.head import tiles, verdict
from pipeline.reporting.door.layout import HEIGHT, WIDTH, draw
from pipeline.reporting.door.sections import SECTIONS, Known
from pipeline.reporting.door.states import State
from pipeline.reporting.door.studies import STUDIES
from pipeline.reporting.facts import (
    Fact,
    Facts,
    Figure,
    NotBuiltError,
    Shown,
    fixed,
    percent,
    share,
    shown,
    total,
)

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Rendered:
    """One section: its HTML, or why there is none; `study` is what a study says to the same."""

    name: str
    title: str
    html: Markup | None
    problem: str = ""
    command: str = ""
    study: Rendered | None = None


def door_html(
    facts: Facts, params: Mapping[str, Any], states: Mapping[str, State], *, live: bool
) -> str:
    """Return the page; `live` if `states` are of this moment and not of the page's making.

    What is not built is said to be so, and a file that cannot be read is named in its section.
    """
    environment = _environment()
    known = Known(facts, params, states)
    rendered = [
        replace(
            _render(environment, name, title, known, prepare),
            study=_render(environment, f"{name}_study", title, known, STUDIES[name])
            if name in STUDIES
            else None,
        )
        for name, (title, prepare) in SECTIONS.items()
    ]
    return environment.get_template("door.html.j2").render(
        sections=rendered,
        verdict=verdict(known, [one.title for one in rendered if one.problem and not one.command]),
        tiles=tiles(known),
        graph=draw(facts.graph),
        box=(WIDTH, HEIGHT),
        stages=facts.graph.stages,
        states=states,
        live=live,
    )


def _render(
    environment: Environment,
    name: str,
    title: str,
    known: Known,
    prepare: Callable[[Known], dict[str, Any]],
) -> Rendered:
    from markupsafe import Markup

    try:
        variables = prepare(known)
        html = environment.get_template(f"{name}.html.j2").render(**variables, known=known)
    except NotBuiltError as error:
        return Rendered(name, title, None, error.file, error.command)
    except PipelineError as error:
        return Rendered(name, title, None, str(error))
    # The template escaped what came from data.
    return Rendered(name, title, Markup(html))  # noqa: S704


def _environment() -> Environment:
    from markupsafe import Markup, escape

    def finalize(value: object) -> object:
        if isinstance(value, Fact | Figure):
            value = shown(value)
        if not isinstance(value, Shown):
            return value
        figure, text = value.figure, escape(value.text)
        places = escape(" ".join(place.replace(" ", "%20") for place in figure.sources))
        traced = Markup('data-source="{}" data-how="{}"').format(places, figure.how)
        if isinstance(figure.value, int | float) and not isinstance(figure.value, bool):
            number = json.dumps(figure.value)
            return Markup('<data value="{}" {}>{}</data>').format(number, traced, text)
        return Markup("<bdi {}>{}</bdi>").format(traced, text)

    environment = page_environment(TEMPLATES).overlay(finalize=finalize)
    environment.filters.update(percent=percent, fixed=fixed)
    environment.globals.update(share=share, total=total)
    return environment
