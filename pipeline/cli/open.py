"""`distillery open`: the page to open first, with the present state of each stage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("open")(open_)


def open_(
    folder: Annotated[
        Path, typer.Argument(help="a build: this project, or an OUT of `distillery repro`")
    ] = Path(),
    file: Annotated[
        bool, typer.Option("--file", help="open the page as it was made, without a server")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="open a browser, or print the address")
    ] = True,
) -> None:
    """Show what was built, in which state, and where to read more.

    Pages are served to this machine alone until you press Ctrl-C, and made anew each time they are
    loaded: also what a gate found, when the stage that writes pages has not run.
    """
    import webbrowser

    from pipeline.cli.console import note, say
    from pipeline.cli.serving import page_server
    from pipeline.errors import MissingFileError

    if not (folder / "dvc.yaml").is_file():
        raise MissingFileError(folder / "dvc.yaml", hint="Give the folder of a build.")
    if file:
        page = (folder / "reports" / "index.html").resolve()
        if not page.is_file():
            raise MissingFileError(page, hint="Make it: dvc repro report")
        say(page.as_uri())
        if browser:
            webbrowser.open(page.as_uri())
        return
    with page_server(folder, port) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        say(address)
        note("Ctrl-C ends it.")
        if browser:
            webbrowser.open(address)
        server.serve_forever()
