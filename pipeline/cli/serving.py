"""A server for the pages of a build, for this machine alone, that only reads."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pipeline.cli.stopped import read_notes
from pipeline.errors import PipelineError
from pipeline.reporting.door import door_html
from pipeline.reporting.door.states import State, built_states, live_states
from pipeline.reporting.facts import Facts
from pipeline.reporting.stage_graph import StageGraph, read_stage_graph, read_values
from pipeline.yaml_files import NotYamlError, read_yaml

LOOPBACK = "127.0.0.1"
PAGE = ("/", "/index.html")


def page_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of `folder`/reports on the loopback address; port 0 takes any free one."""
    try:
        return ThreadingHTTPServer(
            (LOOPBACK, port), partial(_Handler, folder=folder, directory=str(folder / "reports"))
        )
    except OSError as error:
        raise PipelineError(
            f"port {port}: cannot be used ({error.strerror})\nGive --port another number, or 0."
        ) from error


def present_page(folder: Path) -> str:
    """Return the page as of now."""
    graph = read_stage_graph(folder / "dvc.yaml")
    params = read_values(folder / "params.yaml")
    states = present_states(folder, graph)
    live = states is not None
    return door_html(Facts(folder, graph), params, states or built_states(graph, folder), live=live)


def present_states(folder: Path, graph: StageGraph) -> dict[str, State] | None:
    """Return what DVC says of each stage; None if it cannot say, as while another DVC runs."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        changed = json.loads(done.stdout)
        lock = folder / "dvc.lock"
        locked = read_yaml(lock) if lock.is_file() else {}
    except (ValueError, NotYamlError):
        return None
    stages = (locked or {}).get("stages", {})
    return live_states(graph, changed=changed, locked=stages, notes=read_notes(folder))


class _Handler(SimpleHTTPRequestHandler):
    """Serves files under reports/, and the page made anew in place of its file."""

    def __init__(self, *arguments: Any, folder: Path, **options: Any) -> None:
        self.folder = folder
        super().__init__(*arguments, **options)

    extensions_map = {  # noqa: RUF012  as the base class has it
        **SimpleHTTPRequestHandler.extensions_map,
        ".md": "text/plain; charset=utf-8",
        ".json": "application/json; charset=utf-8",
        ".html": "text/html; charset=utf-8",
    }

    def do_GET(self) -> None:
        """Send the page or a file, to a caller who asked for this machine by its name."""
        name = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if name not in (LOOPBACK, "localhost"):  # another site's name that leads here
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path.partition("?")[0] in PAGE:
            self._send_page()
        else:
            super().do_GET()

    def _send_page(self) -> None:
        try:
            body = present_page(self.folder).encode("utf-8", "backslashreplace")
        except PipelineError as error:
            body, kind = f"error: {error}\n".encode(), "text/plain; charset=utf-8"
            self.send_response(HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            kind = "text/html; charset=utf-8"
            self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is for the address."""
