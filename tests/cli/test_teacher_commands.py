"""`plan`, `preview` and `ledger`, run as a user runs them."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.params import load_params
from pipeline.records import Response
from pipeline.storage import read_table, write_table
from pipeline.workspace import PROJECT
from tests.builds import ingest_and_split
from tests.mock_endpoint import Behaviour, Handle, running


@pytest.fixture
def endpoint() -> Iterator[Handle]:
    with running(Behaviour()) as handle:
        yield handle


@pytest.fixture
def project(tmp_path: Path, endpoint: Handle) -> Path:
    """Return a project folder with the sample split, whose teacher is the mock endpoint."""
    shutil.copy(PROJECT / "dvc.yaml", tmp_path)
    params = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    params["ingest"]["path"] = str(PROJECT / "datasets" / "sample" / "exchanges.jsonl")
    params["llm"]["teacher"] = {
        "engine": "openai",
        "base_url": endpoint.base_url,
        "model": "mock",
        "max_tokens": 80,
    }
    write(tmp_path, params)
    ingest_and_split(load_params(tmp_path / "params.yaml"), tmp_path)
    return tmp_path


def write(project: Path, params: dict[str, Any]) -> None:
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def change(project: Path, **llm: Any) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    for key, value in llm.items():
        params["llm"][key] = {**params["llm"][key], **value}
    write(project, params)


def distillery(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
    )


DISTIL = [
    *("distil", "human-naive", "--exchanges", "datasets/exchanges.parquet"),
    *("--responses", "datasets/responses/source.parquet", "--splits", "datasets/splits.parquet"),
    *("--out", "out.parquet", "--rejections", "rejected.parquet", "--metrics", "calls.json"),
]


def test_plan_says_what_an_unknown_price_is(project: Path, endpoint: Handle) -> None:
    done = distillery(project, "plan", "--json")
    plan = json.loads(done.stdout)

    calls = {row["stage"]: row["calls"] for row in plan["stages"]}
    assert calls == {
        "distil@human-naive": 20,
        "distil@human-all_dimensions": 20,
        "distil@human-sequential": 60,
    }
    assert {row["usd"] for row in plan["stages"]} == {"unknown"}
    assert "unknown" in distillery(project, "plan").stdout
    assert endpoint.tally.calls == 0


def test_plan_counts_the_judges_questions_where_it_is_a_model(
    project: Path, endpoint: Handle
) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["llm"]["judge"] = {**params["llm"]["teacher"], "model": "another"}
    params["evaluate"]["judges"] = ["llm"]
    write(project, params)
    source = read_table(project / "datasets" / "responses" / "source.parquet", Response)
    base = [
        one.model_copy(update={"id": f"base-{one.id}", "responder": "base"})
        for one in source
        if one.responder == "listener_a"
    ]
    write_table(project / "datasets" / "generations" / "base.parquet", Response, base)

    rows = json.loads(distillery(project, "plan", "--json").stdout)["stages"]

    # 19 held-out exchanges: two responders, two null models that repeat one of them, and one
    # sentence, each against the base in both orders; what repeats the base is a tie by itself.
    assert (rows[-1]["stage"], rows[-1]["role"], rows[-1]["model"]) == (
        "evaluate",
        "judge",
        "another",
    )
    assert 2 * 3 * 19 <= rows[-1]["calls"] <= 2 * 5 * 19
    assert rows[-1]["calls"] % 2 == 0
    assert endpoint.tally.calls == 0


def test_plan_counts_the_raters_questions_unless_they_are_recorded(
    project: Path, endpoint: Handle
) -> None:
    before = json.loads(distillery(project, "plan", "--json").stdout)["stages"]
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["llm"]["rater"] = {**params["llm"]["teacher"], "model": "another"}
    write(project, params)

    rows = json.loads(distillery(project, "plan", "--json").stdout)["stages"]

    assert "rate" not in {row["stage"] for row in before}
    assert (rows[-1]["stage"], rows[-1]["role"], rows[-1]["calls"]) == ("rate", "rater", 12 * 4)
    assert endpoint.tally.calls == 0


def test_plan_counts_the_vectors_of_all_responses(project: Path, endpoint: Handle) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["llm"]["embedder"] = {
        "engine": "openai",
        "base_url": endpoint.base_url,
        "model": "mock-embeddings",
        "price_in": 0.1,
    }
    write(project, params)
    written = {one.text for one in read_table(project / DISTIL[5], Response)}

    row = json.loads(distillery(project, "plan", "--json").stdout)["stages"][-1]

    assert (row["stage"], row["role"]) == ("featurize", "embedder")
    assert row["calls"] == math.ceil(len(written) / 64)
    low, expected, high = row["tokens_in"]
    assert 0 < low < expected < sum(map(len, written)) < high
    assert row["tokens_out"] == [0, 0, 0]
    assert row["usd"][2] == pytest.approx(0.1 * high / 1e6, abs=1e-4)
    assert endpoint.tally.calls == 0


def test_plan_bounds_what_is_then_spent_and_knows_what_is_kept(
    project: Path, endpoint: Handle
) -> None:
    change(project, teacher={"price_in": 2.5, "price_out": 10.0})
    [row] = json.loads(distillery(project, "plan", "human-naive", "--json").stdout)["stages"]
    low, expected, high = row["usd"]
    done = distillery(project, *DISTIL)
    after = json.loads(distillery(project, "plan", "human-naive", "--json").stdout)

    assert done.returncode == 0
    assert 0 < low < expected < high
    assert low / 2 < after["spent"]["usd"] <= high
    assert (after["stages"][0]["calls"], after["stages"][0]["in_ledger"]) == (0, 20)
    assert endpoint.tally.calls == 20


def test_the_budget_stops_with_exit_one_and_a_second_run_goes_on(
    project: Path, endpoint: Handle
) -> None:
    change(project, budget={"max_calls": 7})
    stopped = distillery(project, *DISTIL)
    change(project, budget={"max_calls": 20})
    done = distillery(project, *DISTIL)

    assert (stopped.returncode, done.returncode) == (1, 0)
    assert "raise budget.max_calls in params.yaml" in stopped.stderr
    assert "13 calls, 7 from the ledger" in done.stderr
    assert endpoint.tally.calls == 20


def test_a_cap_in_dollars_without_a_price_is_refused(project: Path, endpoint: Handle) -> None:
    change(project, budget={"max_usd": 1})

    for arguments in (DISTIL, ["plan"]):
        refused = distillery(project, *arguments)
        assert refused.returncode == 2
        assert "the price of mock is unknown" in refused.stderr
    assert endpoint.tally.calls == 0


def test_preview_shows_prompts_and_asks_a_paid_teacher_only_when_told_to(
    project: Path, endpoint: Handle
) -> None:
    command = ("preview", "--corpus", "human-sequential", "--limit", "2", "--json")
    before = json.loads(distillery(project, *command).stdout)
    assert endpoint.tally.calls == 0
    asked = json.loads(distillery(project, *command, "--ask").stdout)
    again = json.loads(distillery(project, *command).stdout)

    assert [len(one["turns"]) for one in before] == [1, 1]
    assert before[0]["turns"][0]["answer"] == "(not asked yet: add --ask)"
    assert [len(one["turns"]) for one in asked] == [3, 3]
    assert again == asked
    assert endpoint.tally.calls == 6
    shown = distillery(project, "preview", "--corpus", "human-sequential", "--limit", "1").stdout
    assert "prompt" in shown
    assert "answer" in shown


def test_a_ledger_can_be_shipped_and_replayed(project: Path, endpoint: Handle) -> None:
    assert distillery(project, *DISTIL).returncode == 0
    first = (project / "out.parquet").read_bytes()
    exported = distillery(project, "ledger", "export", "cassette.jsonl")
    shutil.rmtree(project / ".distillery")
    change(project, teacher={"engine": "recorded", "cassette": "cassette.jsonl"})
    replayed = distillery(project, *DISTIL)

    assert "20 answers" in exported.stdout
    assert replayed.returncode == 0
    assert (project / "out.parquet").read_bytes() == first
    assert endpoint.tally.calls == 20


def test_ledger_commands_count_import_and_prune(project: Path) -> None:
    distillery(project, *DISTIL)
    distillery(project, "ledger", "export", "all.jsonl")
    stats = json.loads(distillery(project, "ledger", "stats", "--json").stdout)
    refused = distillery(project, "ledger", "prune")
    pruned = distillery(project, "ledger", "prune", "--stage", "human-naive", "--yes")
    imported = distillery(project, "ledger", "import", "all.jsonl")

    assert stats["stages"][0]["answers"] == stats["spent"]["calls"] == 20
    assert refused.returncode == 2
    assert "20 answers deleted" in pruned.stdout
    assert "20 answers added, 0 were there already" in imported.stdout


def test_no_control_character_of_an_endpoint_or_a_ledger_reaches_the_terminal(
    project: Path, endpoint: Handle
) -> None:
    distillery(project, *DISTIL)
    with closing(sqlite3.connect(project / ".distillery" / "ledger.sqlite")) as db, db:
        db.execute("UPDATE answers SET stage = ?", ("\x1b]0;pwn\x07\r\x9b2J\u202e",))
    endpoint.behaviour.status = 404
    endpoint.behaviour.status_body = "\x1b]0;pwn\x07\r\x9b2J\u202e"

    stats = distillery(project, "ledger", "stats")
    as_json = distillery(project, "ledger", "stats", "--json")
    refused = distillery(project, "preview", "--corpus", "human-all_dimensions", "--ask")

    assert "⟨U+001B⟩]0;pwn⟨U+0007⟩" in stats.stdout
    assert json.loads(as_json.stdout)["stages"][0]["stage"].startswith("\x1b]0;pwn")
    assert refused.returncode == 2
    assert "⟨U+001B⟩]0;pwn⟨U+0007⟩" in refused.stderr
    for said in (stats.stdout, as_json.stdout, refused.stderr):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", said)


def test_commands_that_read_write_nothing_and_a_missing_ledger_is_named(project: Path) -> None:
    before = sorted(project.rglob("*"))
    for arguments in (["stats"], ["export", "out.jsonl"], ["prune", "--stage", "x", "--yes"]):
        for named in ([], ["--ledger", "none.sqlite"]):
            refused = distillery(project, "ledger", *arguments, *named)
            assert refused.returncode == 2
            assert "no such ledger" in refused.stderr
    assert distillery(project, "plan", "human-naive").returncode == 0
    assert sorted(project.rglob("*")) == before

    distillery(project, *DISTIL)
    ledger = project / ".distillery" / "ledger.sqlite"
    kept = {path: path.stat().st_mtime_ns for path in ledger.parent.iterdir()}
    for command in (
        ("plan",),
        ("preview", "--corpus", "human-naive", "--limit", "1"),
        ("ledger", "stats"),
        ("ledger", "export", "out.jsonl"),
    ):
        assert distillery(project, *command).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in ledger.parent.iterdir()} == kept


def test_an_unknown_distillation_lists_the_known(project: Path) -> None:
    done = distillery(project, "plan", "human-nice")

    assert done.returncode == 2
    assert "there are human-all_dimensions, human-naive, human-sequential" in done.stderr


def test_a_judge_that_is_the_teacher_is_refused(project: Path, endpoint: Handle) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["llm"]["judge"] = params["llm"]["teacher"]
    write(project, params)
    done = distillery(project, "plan")

    assert done.returncode == 2
    assert "set allow_self_judging: true" in done.stderr
