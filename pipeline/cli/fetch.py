"""`distillery fetch`: download a public source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.sources import Source

FOLDER = Path(".distillery/sources")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("fetch")(fetch)


def fetch(
    source: Annotated[str | None, typer.Argument(help="which source; none lists them")] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="agree without being asked")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the list as JSON")] = False,
) -> None:
    """Download SOURCE after showing its licence; without SOURCE, list what there is."""
    from pipeline.cli.console import say
    from pipeline.errors import PipelineError
    from pipeline.sources import get_source
    from pipeline.sources.download import download

    if source is None:
        _list_sources(as_json=as_json)
        return
    chosen = get_source(source)
    if chosen.url is None or chosen.sha256 is None:
        raise PipelineError(f"source {chosen.name}: nothing to fetch\nSet ingest.path to its file.")
    say(f"{chosen.title}\n{chosen.citation}\n{chosen.homepage}\nLicence: {chosen.licence}")
    say(chosen.terms)
    if not accept_licence and not _accepted():
        raise PipelineError(
            f"source {chosen.name}: not fetched, the terms were not accepted\n"
            "Answer y, or give --accept-licence."
        )
    target = FOLDER / chosen.name / Path(chosen.url).name
    download(chosen.url, target, sha256=chosen.sha256)
    say(f"{target}: complete, sha256 as published")
    say(f"Build it: distillery repro --source {chosen.name} --out build/{chosen.name}")


def _accepted() -> bool:
    try:
        return typer.confirm("Do you accept these terms?")
    except typer.Abort:  # nobody is there to answer
        return False


def fetched_file(source: Source) -> Path:
    """Return where `fetch` puts the file of `source`, or say how to get it there."""
    from pipeline.errors import MissingFileError, PipelineError

    if source.url is None:
        raise PipelineError(f"--path is missing: source {source.name} has no public file")
    path = FOLDER / source.name / Path(source.url).name
    if not path.is_file():
        raise MissingFileError(
            path, hint=f"Get it with `distillery fetch {source.name}`, or give --path."
        )
    return path


def _list_sources(*, as_json: bool) -> None:
    from pipeline.cli.console import say, say_json
    from pipeline.sources import SOURCES

    if as_json:
        say_json(
            [
                {
                    "name": one.name,
                    "title": one.title,
                    "licence": one.licence,
                    "url": one.url,
                    "sha256": one.sha256,
                }
                for one in SOURCES.values()
            ]
        )
        return
    for one in SOURCES.values():
        say(f"{one.name:22} {one.licence:14} {one.title}")
