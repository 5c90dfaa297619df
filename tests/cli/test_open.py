"""`distillery open`: the present state on a page that only this machine sees."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from pipeline.cli import serving
from pipeline.cli.serving import page_server, present_page, present_states
from pipeline.cli.stopped import noted, read_notes
from pipeline.errors import PipelineError
from pipeline.reporting.stage_graph import read_stage_graph
from pipeline.validation.run import BuildReport, Check, TableReport
from tests.cli.command import Cli
from tests.reporting.doors import build

__all__ = ["build"]


@pytest.fixture
def port(build: Path) -> Iterator[int]:
    (build / "reports" / "cards").mkdir()
    (build / "reports" / "cards" / "x.md").write_text("# x")
    with page_server(build, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", f"{host}:{port}")
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@pytest.mark.slow
def test_the_page_is_made_anew_at_each_load(port: int, build: Path) -> None:
    before = get(port, "/")
    scorer = build / "reports/metrics/scorer.json"
    figures = json.loads(scorer.read_text())
    figures["scorer"]["accuracy"] = 0.1234
    scorer.write_text(json.dumps(figures))

    after = get(port, "/index.html")

    assert (before[0], after[0]) == (200, 200)
    assert "12.3%" in after[1]
    assert "12.3%" not in before[1]


def test_only_reports_are_served_and_only_to_this_machine(port: int) -> None:
    assert get(port, "/cards/x.md") == (200, "# x")
    assert get(port, "/../params.yaml")[0] == 404
    assert get(port, "/%2e%2e/params.yaml")[0] == 404
    assert get(port, "/cards/x.md", host="elsewhere.example")[0] == 403


def test_what_a_gate_found_is_shown_before_the_stage_that_writes_pages_runs(
    port: int, build: Path
) -> None:
    check = Check("id is unique", "critical", passed=False, unexpected=1, checked=9)
    table = TableReport("exchanges", "Exchange", None, 9, [check])
    report = TypeAdapter(BuildReport).dump_json(BuildReport("made", False, [table]))
    (build / "datasets").mkdir()
    (build / "datasets/validation.json").write_bytes(report)

    assert 'href="validation/index.html"' in get(port, "/")[1]
    status, page = get(port, "/validation/index.html")

    assert status == 200
    assert "1 critical expectation failed" in page
    assert not (build / "reports/validation").exists()


def test_a_page_whose_data_cannot_be_read_says_which(port: int, build: Path) -> None:
    (build / "datasets").mkdir()
    (build / "datasets/validation.json").write_text("{")

    status, page = get(port, "/validation/index.html")

    assert status == 500
    assert "validation.json: not JSON" in page


@pytest.mark.parametrize(
    "path",
    [
        "/../params.yaml",
        "/..%2fparams.yaml",
        "/%2e%2e%2fparams.yaml",
        "/cards/..%2f..%2fparams.yaml",
        "/cards/%2e%2e/%2e%2e/params.yaml",
        "/..\\params.yaml",
        "//params.yaml",
        "/link.yaml",
        "/folder/params.yaml",
        "/page/",
        "/page/index.html",
        "/pipe",
        "/cards",
        "/cards/",
        "/cards/x.md/",
        "/x%00.md",
        f"/{'x' * 300}.md",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_neither_path_nor_link_leads_out_of_the_reports(
    port: int, build: Path, method: str, path: str
) -> None:
    reports = build / "reports"
    (reports / "link.yaml").symlink_to(build / "params.yaml")
    (reports / "folder").symlink_to(build)
    (reports / "page").mkdir()
    (reports / "page" / "index.html").symlink_to(build / "params.yaml")
    os.mkfifo(reports / "pipe")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()

    assert answer.status in (301, 404)
    assert b"ingest" not in answer.read()
    connection.close()


def test_a_link_within_the_reports_is_followed(port: int, build: Path) -> None:
    (build / "reports" / "y.md").symlink_to("cards/x.md")

    assert get(port, "/y.md") == (200, "# x")


def test_nothing_but_reading_is_served_nor_to_a_page_of_another_site(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for method, headers, status in [
        ("HEAD", {}, 200),
        ("POST", {}, 405),
        ("OPTIONS", {}, 405),
        ("HEAD", {"Origin": "http://evil.example"}, 403),
        ("GET", {"Host": "evil.example"}, 403),
    ]:
        connection.request(method, "/cards/x.md", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_all_who_load_the_page_at_once_share_one_dvc_status(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def slowly(folder: Path) -> str:
        asked.append(folder)
        time.sleep(0.5)
        return f"page {len(asked)}"

    monkeypatch.setattr(serving, "present_page", slowly)
    shared = serving.SharedPage(build)
    with ThreadPoolExecutor(20) as pool:
        pages = set(pool.map(lambda _: shared.load(), range(20)))

    assert (pages, asked) == ({"page 1"}, [build])
    assert shared.load() == "page 2"


def test_an_error_reaches_all_who_wait_and_the_next_load_starts_anew(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (build / "dvc.yaml").rename(build / "gone.yaml")
    shared = serving.SharedPage(build)
    with pytest.raises(PipelineError, match=r"dvc\.yaml"):
        shared.load()
    (build / "gone.yaml").rename(build / "dvc.yaml")

    assert "<html" in shared.load()


def test_a_dvc_that_does_not_answer_leaves_the_page_as_it_was_built(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "STATUS_S", 0.01)

    assert present_states(build, read_stage_graph(build / "dvc.yaml")) is None


def test_a_folder_that_dvc_cannot_read_is_shown_as_it_was_built(build: Path) -> None:
    assert present_states(build, read_stage_graph(build / "dvc.yaml")) is None
    assert "Which stages have left all their files" in present_page(build)


def test_a_taken_port_is_an_error_that_names_it(port: int, build: Path) -> None:
    with pytest.raises(PipelineError, match=f"port {port}: cannot be used"):
        page_server(build, port)


def test_without_a_build_the_command_says_what_to_give(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli("open", tmp_path, "--no-browser")

    assert code == 2
    assert "dvc.yaml: no such file or folder\nGive the folder of a build." in err


def test_a_page_that_was_not_made_names_the_stage(cli: Cli, build: Path) -> None:
    code, _, err = cli("open", build, "--file", "--no-browser")

    assert code == 2
    assert "Make it: dvc repro report" in err


class StopError(PipelineError):
    """An end that a stage came to."""


def test_a_stage_leaves_a_note_until_it_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_STAGE", "validate@a/b")

    with noted():
        assert read_notes(tmp_path) == {"validate@a/b": ""}
    assert read_notes(tmp_path) == {}

    with pytest.raises(StopError, match="no rows"), noted():
        raise StopError("no rows")
    assert read_notes(tmp_path) == {"validate@a/b": "no rows"}

    with pytest.raises(SystemExit, match="0"), noted():
        raise SystemExit(0)
    assert read_notes(tmp_path) == {}


def test_outside_dvc_nothing_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)

    with pytest.raises(StopError, match="no rows"), noted():
        raise StopError("no rows")

    assert read_notes(tmp_path) == {}


@pytest.mark.parametrize(
    "stages",
    [
        [],
        5,
        None,
        {"ingest": 5},
        {"ingest": []},
        {"ingest": {"deps": 5}},
        {"ingest": {"outs": [5]}},
        {"ingest": {"outs": [{}]}},
        {"ingest": {"foreach": 5, "do": {}}},
        {"ingest": {"foreach": "${ingest.path}", "do": {}}},
        {"ingest": {"foreach": ["a"], "do": 5}},
        {"ingest": {"desc": ["a"]}},
    ],
)
def test_a_dvc_yaml_that_is_no_graph_is_a_page_that_says_where(
    port: int, build: Path, stages: object
) -> None:
    (build / "dvc.yaml").write_text(json.dumps({"stages": stages}))

    status, page = get(port, "/")

    assert status == 500
    assert "dvc.yaml: stages" in page


@pytest.mark.parametrize(
    "locked", ["[]", "5", '{"stages": []}', '{"stages": 5}', '{"stages": null}']
)
def test_a_dvc_lock_that_is_none_locks_nothing(
    build: Path, monkeypatch: pytest.MonkeyPatch, locked: str
) -> None:
    said = subprocess.CompletedProcess([], 0, stdout="{}")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: said)
    (build / "dvc.lock").write_text(locked)

    states = present_states(build, read_stage_graph(build / "dvc.yaml"))

    assert states is not None
    assert {state.kind for state in states.values()} == {"never run"}
