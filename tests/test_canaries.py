"""Four secrets are used for real, are echoed by hostile servers, and are found nowhere after."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from rich.console import Console
from rich.traceback import Traceback

from pipeline.errors import PipelineError
from pipeline.llm import Budget, LlmRole
from pipeline.llm.chat import CallRejectedError
from pipeline.llm.open_chat import open_chat
from pipeline.params import load_params
from pipeline.workspace import PROJECT
from tests.builds import ingest_and_split
from tests.teachers import said

# What is looked for is the middle, which no escaping leaves alone and nothing else holds.
CORES = ("Zq7teacherXw", "Zq7escapedXw", "Zq7argillaXw", "Zq7passwordXw")
TEACHER, ESCAPED, ARGILLA, PASSWORD = (f"sk-{core}/a+b=" for core in CORES)
FAULTS = ("ok", "400", "401", "404", "429", "500", "hang", "junk", "broken")


def escaped(key: str) -> str:
    """Write a key as a JSON writer may: some signs by number, slashes with a backslash."""
    shown = "".join(f"\\u{ord(sign):04x}" if n % 3 == 0 else sign for n, sign in enumerate(key))
    return shown.replace("/", "\\/")


def leaks(content: bytes | str) -> list[str]:
    """Return which secrets a text holds, in any of the ways that the servers here write them."""
    text = content if isinstance(content, str) else content.decode("latin-1")
    text = re.sub(r"\\+u00([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)
    return [core for core in CORES if core in text.replace("\\", "")]


@dataclass
class Hostile:
    """A server that repeats the key it is sent, in its answers and in its errors."""

    fault: str = "ok"
    seen: set[str] = field(default_factory=set, repr=False)
    url: str = ""


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    state = Hostile()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.headers.get("Authorization", "").removeprefix("Bearer ")
            key = self.headers.get("X-Argilla-Api-Key") or sent
            state.seen.add(key)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            echo = key if key == TEACHER else escaped(key)
            body = json.dumps({"error": {"message": "KEY"}, "detail": "KEY"})
            if state.fault == "ok":
                message = {"role": "assistant", "content": "I hear you. You sent KEY."}
                body = json.dumps({"choices": [{"index": 0, "message": message}], "items": []})
            if state.fault == "hang":
                time.sleep(1.5)
            if state.fault == "broken":
                self.wfile.write(f"HTTP/1.1 200 OK\r\n{echo} no header\r\n\r\n".encode())
                return
            if state.fault == "junk":
                body = 'KEY {"choices": '
            content = body.replace("KEY", echo).encode()
            self.send_response(int(state.fault) if state.fault.isdigit() else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PATCH = do_GET  # noqa: N815  as the base class calls them

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A caller that gave up is what is tested."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()


def role_of(hostile: Hostile, variable: str) -> dict[str, Any]:
    pace = {"timeout_s": 0.7, "max_attempts": 2, "max_wait_s": 0.05, "breaker_failures": 3}
    return {
        "engine": "openai",
        "base_url": f"{hostile.url}/v1",
        "model": "mock",
        "max_tokens": 80,
        "api_key_env": variable,
        "pace": pace,
    }


@contextmanager
def watched_processes() -> Iterator[list[str]]:
    """Note every secret that appears among the arguments of any process meanwhile."""
    found: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    found.extend(leaks(file.read_bytes()))
                except OSError:
                    continue
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    yield found
    over.set()
    thread.join()


def searched(folder: Path) -> dict[str, list[str]]:
    """Return the files under `folder` that hold a secret, what is compressed being unfolded."""
    found = {}
    for file in folder.rglob("*"):
        if file.is_file():
            held = leaks(file.read_bytes())
            if file.suffix == ".parquet":
                held += leaks(json.dumps(pq.read_table(file).to_pylist(), default=str))
            if held:
                found[str(file.relative_to(folder))] = held
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the sample split."""
    shutil.copy(PROJECT / "dvc.yaml", tmp_path)
    shutil.copytree(PROJECT / "annotations" / "guidelines", tmp_path / "annotations/guidelines")
    params = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    params["ingest"]["path"] = str(PROJECT / "datasets" / "sample" / "exchanges.jsonl")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    ingest_and_split(load_params(tmp_path / "params.yaml"), tmp_path)
    return tmp_path


def set_teacher(project: Path, role: dict[str, Any]) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["llm"]["teacher"] = role
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


SECRETS = {"TEACHER_KEY": TEACHER, "ESCAPED_KEY": ESCAPED, "ARGILLA_API_KEY": ARGILLA}


def distillery(project: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command with all secrets set, in Python's development mode; return what it said."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "pipeline", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **SECRETS, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


DISTIL = [
    *("distil", "human-naive", "--exchanges", "datasets/exchanges.parquet"),
    *("--responses", "datasets/responses/source.parquet", "--splits", "datasets/splits.parquet"),
    *("--out", "out.parquet", "--rejections", "rejected.parquet", "--metrics", "calls.json"),
]


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["TEACHER_KEY", "ESCAPED_KEY"])
def test_a_teachers_key_is_in_no_file_output_or_process_list(
    project: Path, hostile: Hostile, variable: str
) -> None:
    set_teacher(project, role_of(hostile, variable))
    texts = {}
    with watched_processes() as shown:
        for hostile.fault in ("hang", "junk", "500", "401", "ok"):
            texts[hostile.fault] = distillery(project, *DISTIL)
        for command in (
            ("plan",),
            ("preview", "--corpus", "human-naive", "--limit", "2", "--ask"),
            ("ledger", "stats"),
            ("ledger", "export", "cassette.jsonl"),
        ):
            texts[" ".join(command)] = distillery(project, *command)

    assert SECRETS[variable] in hostile.seen
    assert texts["ok"][0] == 0, texts["ok"]
    assert texts["401"][0] == 2
    assert "Traceback" not in str(texts)
    assert "[key]" in texts["401"][1]
    assert b"[key]" in (project / "cassette.jsonl").read_bytes()
    assert [name for name, said in texts.items() if leaks(said[1])] == []
    assert searched(project) == {}
    assert shown == []


@pytest.mark.slow
def test_the_key_of_an_argilla_is_in_no_file_output_or_process_list(
    project: Path, hostile: Hostile
) -> None:
    texts = {}
    with watched_processes() as shown:
        for hostile.fault in ("ok", "401", "500", "junk", "broken"):
            for command in ("status", "pull"):
                arguments = ("annotate", command, "--round", "1")
                texts[hostile.fault, command] = distillery(
                    project, *arguments, ARGILLA_API_URL=hostile.url
                )

    assert ARGILLA in hostile.seen
    assert {code for code, _ in texts.values()} == {2}
    assert "Traceback" not in str(texts)
    assert [name for name, said in texts.items() if leaks(said[1])] == []
    assert searched(project) == {}
    assert shown == []


@pytest.mark.slow
def test_a_password_in_an_address_is_refused_unshown(project: Path, hostile: Hostile) -> None:
    address = hostile.url.replace("://", f"://me:{PASSWORD.replace('/', '')}@")
    slashed = hostile.url.replace("://", f"://me:{PASSWORD}@")
    texts = []
    with watched_processes() as shown:
        for url in (address, slashed, f"{hostile.url}/?key={PASSWORD}", f"https://h:{CORES[3]}"):
            texts.append(distillery(project, "annotate", "pull", ARGILLA_API_URL=url))
            set_teacher(project, role_of(hostile, "TEACHER_KEY") | {"base_url": url})
            texts += [distillery(project, *command) for command in (["plan"], DISTIL)]
        set_teacher(project, role_of(hostile, PASSWORD))
        texts.append(distillery(project, "plan"))
    (project / "params.yaml").unlink()  # the user's own words

    assert hostile.seen == set()
    assert [code for code, _ in texts] == [2] * 13
    assert "Traceback" not in str(texts)
    assert leaks(str(texts)) == []
    assert searched(project) == {}
    assert shown == []


@pytest.mark.parametrize("fault", FAULTS[1:])
@pytest.mark.parametrize("variable", ["TEACHER_KEY", "ESCAPED_KEY"])
def test_no_exception_leads_to_a_key_not_even_with_locals_shown(
    tmp_path: Path,
    hostile: Hostile,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    fault: str,
) -> None:
    monkeypatch.setenv(variable, SECRETS[variable])
    role = LlmRole.model_validate(role_of(hostile, variable))
    hostile.fault = fault

    async def ask() -> None:
        opened = open_chat(
            role, name="teacher", stage="test", budget=Budget(), ledger=tmp_path / "l.sqlite"
        )
        async with opened as chat:
            await chat.ask(said("I lost my job."))

    with pytest.raises((PipelineError, CallRejectedError), match=r".") as caught:
        asyncio.run(ask())
    told = StringIO()
    Console(file=told, width=400).print(
        Traceback.from_exception(
            caught.type, caught.value, caught.tb, show_locals=True, locals_max_string=None
        )
    )

    assert "locals" in told.getvalue()
    assert leaks(told.getvalue()) == []
    assert leaks("".join(map(repr, _chain(caught.value)))) == []


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception with all that it came from, also what a traceback leaves out."""
    if error is not None:
        yield error
        yield from _chain(error.__cause__)
        yield from _chain(error.__context__)


def test_the_search_finds_what_the_hostile_server_says() -> None:
    assert leaks(escaped(ESCAPED)) == leaks(json.dumps(escaped(ESCAPED))) == [CORES[1]]
    assert ESCAPED not in escaped(ESCAPED)
