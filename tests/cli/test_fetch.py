"""`distillery fetch`: the terms first, then the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import sources
from pipeline.sources import SOURCES
from tests.cli.command import Cli, distillery
from tests.doubles import FileServer, serving

CONTENT = b"dialog_id,emotion\n"
FETCHED = Path(".distillery/sources/welivita2024/corpus.bin")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Serve what `welivita2024` fetches from this machine."""
    with serving(CONTENT) as served:
        here = replace(
            SOURCES["welivita2024"], url=served.url, sha256=hashlib.sha256(CONTENT).hexdigest()
        )
        monkeypatch.setitem(sources.SOURCES.built_in, "welivita2024", here)
        yield served


def test_the_terms_are_shown_and_the_file_is_fetched(
    project: Path, cli: Cli, server: FileServer
) -> None:
    code, out, _ = cli("fetch", "welivita2024", "--accept-licence")

    assert code == 0
    assert "Licence: none stated" in out
    assert "Research use only" in out
    assert (project / FETCHED).read_bytes() == CONTENT


def test_without_consent_nothing_is_fetched(
    project: Path, cli: Cli, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", lambda _: False)

    code, _, err = cli("fetch", "welivita2024")

    assert code == 2
    assert "the terms were not accepted" in err
    assert server.asked == []


def test_a_script_that_does_not_accept_the_terms_gets_nothing(tmp_path: Path) -> None:
    done = distillery("fetch", "welivita2024", cwd=tmp_path, env={"DISTILLERY_OFFLINE": "1"})

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".distillery").exists()


def test_another_file_than_published_is_exit_2(project: Path, cli: Cli, server: FileServer) -> None:
    server.content = b"something else"

    code, _, err = cli("fetch", "welivita2024", "--accept-licence")

    assert code == 2
    assert "another file than expected" in err
    assert not (project / FETCHED).exists()


@pytest.mark.parametrize("name", ["sample", "table"])
def test_a_source_without_an_address_says_so(project: Path, cli: Cli, name: str) -> None:
    code, _, err = cli("fetch", name)

    assert code == 2
    assert f"source {name}: nothing to fetch" in err


def test_an_unknown_source_is_exit_2(project: Path, cli: Cli) -> None:
    code, _, err = cli("fetch", "nowhere")

    assert code == 2
    assert "source 'nowhere': not known\nThere are: sample" in err


def test_the_list_names_every_source(cli: Cli) -> None:
    code, out, _ = cli("fetch")

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(SOURCES)


def test_the_list_is_for_scripts_too(cli: Cli) -> None:
    code, out, _ = cli("fetch", "--json")

    assert code == 0
    assert [one["name"] for one in json.loads(out)] == list(SOURCES)
