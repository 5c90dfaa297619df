"""Exit codes and messages of the command line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from docs.programs.commands import commands
from pipeline.errors import GateFailedError
from pipeline.workspace import PROJECT
from tests.cli.command import Cli, distillery

COMMANDS = ("repro", "fetch", "init", "doctor", "explain")
STAGES = ("ingest", "split")


def test_help_lists_the_commands(cli: Cli) -> None:
    code, out, _ = cli("--help")

    assert code == 0
    assert [name for name in COMMANDS if f" {name} " not in out] == []
    assert [name for name in STAGES if f" {name} " in out] == []


@pytest.mark.parametrize("name", COMMANDS + STAGES)
def test_every_command_has_help(cli: Cli, name: str) -> None:
    code, out, _ = cli(name, "--help")

    assert code == 0
    assert f"{name} [" in out


@pytest.mark.parametrize("arguments", [["nonsense"], ["ingest"], ["explain", "--bad"]])
def test_wrong_usage_is_exit_2(cli: Cli, arguments: list[str]) -> None:
    code, out, err = cli(*arguments)

    assert (code, out) == (2, "")
    assert "Usage" in err


def test_an_error_is_a_message_without_a_traceback(tmp_path: Path) -> None:
    done = distillery("explain", "sft-0", "--in", "nowhere", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "error: nowhere/datasets: no such folder\nRun `make repro` first.\n"


def _fail(project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def raising(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("pipeline.dag.command.run_stage", raising)
    return cli("split", *("--exchanges", "a", "--responses", "b", "--out", "c", "--metrics", "d"))[
        0
    ]


def test_a_gate_that_says_no_is_exit_1(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _fail(project, cli, monkeypatch, GateFailedError("leak")) == 1


def test_an_interrupt_is_exit_130(project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _fail(project, cli, monkeypatch, KeyboardInterrupt()) == 130


def test_a_bug_of_ours_is_not_hidden(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ZeroDivisionError, match="ours"):
        _fail(project, cli, monkeypatch, ZeroDivisionError("ours"))


def test_the_exit_code_is_left_for_whom_dvc_hides_it(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_STATUS_FILE", str(project / "status"))

    _fail(project, cli, monkeypatch, GateFailedError("leak"))

    assert (project / "status").read_text() == "1"


def test_no_bar_is_drawn_without_a_terminal(project: Path) -> None:
    done = distillery(
        "ingest",
        *("--exchanges", "e", "--responses", "r", "--rejections", "x", "--metrics", "m"),
        cwd=project,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_offline_another_machine_is_not_reached(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    monkeypatch.setattr(socket.socket, "connect_ex", socket.socket.connect_ex)
    monkeypatch.setenv("DISTILLERY_OFFLINE", "1")

    code, _, err = cli("fetch", "welivita2024", "--accept-licence")

    assert code == 2
    assert "not fetched, because DISTILLERY_OFFLINE=1 is set" in err


def test_the_documents_list_every_command_for_people() -> None:
    document = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")

    assert commands().strip() in document
