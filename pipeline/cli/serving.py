"""A server for the pages of a build, for this machine alone, that only reads."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from pipeline.cli.stopped import read_notes
from pipeline.errors import PipelineError
from pipeline.loopback import LoopbackHandler, LoopbackServer
from pipeline.reporting.built_pages import maker_of
from pipeline.reporting.door import door_html
from pipeline.reporting.door.states import State, built_states, live_states
from pipeline.reporting.facts import Facts
from pipeline.reporting.stage_graph import StageGraph, read_stage_graph, read_values
from pipeline.yaml_files import NotYamlError, read_yaml

PAGE = ("/", "/index.html")
# `dvc status` reads every file that changed since the last one.
STATUS_S = 120


def page_server(folder: Path, port: int) -> LoopbackServer:
    """Return a server of `folder`/reports on the loopback address; port 0 takes any free one."""
    return LoopbackServer(port, partial(_Handler, shared=SharedPage(folder)))


class SharedPage:
    """The page as of now, made once for all who ask for it at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._under_way: Future[str] | None = None

    def load(self) -> str:
        """Return the page; who comes while it is made gets the same one."""
        with self._lock:
            page, is_mine = self._under_way, self._under_way is None
            if page is None:
                page = self._under_way = Future()
        if is_mine:
            try:
                page.set_result(present_page(self.folder))
            except BaseException as error:
                page.set_exception(error)
                raise
            finally:
                with self._lock:
                    self._under_way = None
        return page.result()


def present_page(folder: Path) -> str:
    """Return the page as of now."""
    graph = read_stage_graph(folder / "dvc.yaml")
    params = read_values(folder / "params.yaml")
    states = present_states(folder, graph)
    live = states is not None
    return door_html(Facts(folder, graph), params, states or built_states(graph, folder), live=live)


def present_states(folder: Path, graph: StageGraph) -> dict[str, State] | None:
    """Return what DVC says of each stage; None if it cannot, as while another DVC runs."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "status", "--json"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=STATUS_S,
        )
        changed = json.loads(done.stdout)
        lock = folder / "dvc.lock"
        locked = read_yaml(lock) if lock.is_file() else {}
    except (ValueError, NotYamlError, subprocess.TimeoutExpired):
        return None
    stages = locked.get("stages") if isinstance(locked, dict) else None
    if not isinstance(changed, dict):
        return None
    stages = stages if isinstance(stages, dict) else {}
    return live_states(graph, changed=changed, locked=stages, notes=read_notes(folder))


class _Handler(LoopbackHandler, SimpleHTTPRequestHandler):
    """Serves files under reports/, and pages made anew in place of their files."""

    extensions_map = {  # noqa: RUF012  as the base class has it
        **SimpleHTTPRequestHandler.extensions_map,
        ".md": "text/plain; charset=utf-8",
        ".json": "application/json; charset=utf-8",
        ".html": "text/html; charset=utf-8",
    }

    def __init__(self, *arguments: Any, shared: SharedPage) -> None:
        self._shared = shared
        self._root = shared.folder.resolve() / "reports"
        super().__init__(*arguments, directory=str(self._root))

    def do_GET(self) -> None:
        """Send a page or a file."""
        if not self._sent_page():
            super().do_GET()

    def do_HEAD(self) -> None:
        """Send what `do_GET` sends, without the content."""
        if not self._sent_page():
            super().do_HEAD()

    def send_head(self) -> Any:
        """Open a file of reports/; folders are not listed, and no link leads out."""
        try:
            path = Path(self.translate_path(self.path))
            is_ours = path.is_file() and path.resolve().is_relative_to(self._root)
        except (OSError, ValueError):  # a name that no file can have
            is_ours = False
        if not is_ours:
            self.refuse(HTTPStatus.NOT_FOUND, "no such report")
            return None
        return super().send_head()

    def _sent_page(self) -> bool:
        """Send the page that is asked for, made now; return whether it is one."""
        path = self.path.partition("?")[0]
        try:
            make = self._shared.load if path in PAGE else self._maker_of(path)
            page = make() if make else None
        except PipelineError as error:
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"error: {error}")
            return True
        if page is not None:
            kind = self.guess_type("index.html" if path in PAGE else path)
            self.send(HTTPStatus.OK, kind, page.encode("utf-8", "backslashreplace"))
        return page is not None

    def _maker_of(self, path: str) -> Callable[[], str] | None:
        return maker_of(self._shared.folder, f"reports{path}")
