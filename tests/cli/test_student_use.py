"""`distillery chat` and `serve` with a tiny model: input, interruption, wrong names and ports."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pipeline.student.serve import bind
from pipeline.workspace import PROJECT
from tests.cli.command import Cli
from tests.tiny import tiny_base


@pytest.fixture
def students(project: Path) -> Path:
    """Return the project's folder, with a base model where the stage puts it."""
    tiny_base(project / "datasets" / "students" / "base_model", context=2048)
    return project


def test_what_is_piped_into_chat_is_answered_line_by_line(
    students: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("I lost my dog.\nNobody came.\n\nnot read\n"))

    code, out, err = cli("chat", "base_model")

    assert code == 0
    assert out.strip()
    assert [line for line in err.splitlines() if line] == [
        "loading tiny-0 on cpu, 1 thread(s)",
        "base_model: what happened? An empty line ends.",
    ]


def test_a_name_that_no_student_has_is_answered_with_those_there_are(
    students: Path, cli: Cli
) -> None:
    for command in ("chat", "serve"):
        code, _, err = cli(command, "nobody/dpo")

        assert code == 2
        assert err == (
            "error: nobody/dpo: no student of this name, no folder\nThere are: base_model\n"
        )


def test_a_port_that_is_taken_is_said_at_once(students: Path, cli: Cli) -> None:
    with bind(0) as other:
        code, _, err = cli("serve", "base_model", "--port", other.server_port)

    assert code == 2
    assert f"port {other.server_port}: cannot be used" in err
    assert "loading" not in err


@pytest.mark.slow
def test_an_interrupted_server_ends_without_a_word(students: Path) -> None:
    # A shell's background jobs are deaf to Ctrl-C, and so is what they start, unless told to hear.
    deaf = signal.signal(signal.SIGINT, signal.default_int_handler)
    server = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "serve", "base_model", "--port", "0"],
        env={"PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, deaf)
    assert server.stderr is not None
    loading, ready = server.stderr.readline(), server.stderr.readline()
    url = ready.split(" at ")[1].split("/v1")[0]
    with urllib.request.urlopen(f"{url}/v1/models", timeout=10) as answer:
        named = json.loads(answer.read())["data"][0]["id"]

    server.send_signal(signal.SIGINT)
    try:
        _, rest = server.communicate(timeout=30)
    finally:
        server.kill()

    assert loading.startswith("loading tiny-0")
    assert named == "base_model"
    assert (server.returncode, rest) == (130, "")
