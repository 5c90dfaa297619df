"""Forty names of responders, ordinary and nasty, from a table's header to the export."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.names import is_slug
from pipeline.params import load_params
from pipeline.records import PreferencePair, Response, SFTExample
from pipeline.sources import get_source
from pipeline.storage import read_table
from pipeline.workspace import ALL_TOGETHER, PROJECT, build_workspace, reproduce
from tests.builds import SAMPLE, write_jsonl
from tests.cli.command import distillery

pytestmark = pytest.mark.slow

LABELS = (
    "gpt-4.1", "GPT-4.1 (temp 0.7)", "Llama 3 70B", "no", "null", "1e3", "~", "true", "2030-01-31",
    "a/b", "a-b", "A-B", "a b", "a\nb", "模型", "é", "🙂", "\u202eevil", "..", "../../x",
    "x/../../x", "CON", "-rf", "--out=x", "foo.", "foo ", "Bot", "bot", "x" * 300, "x" * 301,
    "$(touch pwned)", "`touch pwned`", "x;touch pwned;#", "x'; touch pwned; '", '"; touch pwned; "',
    "a && touch pwned", "${seed}", "a.b[0]", "{{ 7 * 7 }}", "<script>alert(1)</script>", "|x",
    "all_together",
)  # fmt: skip
UTTERANCES = (
    "My mother forgot my birthday again this year.",
    "I was promoted at work and nobody at home cared.",
    "The dog that we had for twelve years died on Sunday.",
    "Tomorrow is the exam and I have not slept at all.",
    "An old friend wrote to me after ages, out of the blue.",
    "Somebody scratched the car that I had just paid off.",
    "We moved to a new town and I know no one here.",
    "He said sorry at last, and I could not answer him.",
)


def _table(path: Path) -> Path:
    rows = []
    for number, utterance in enumerate(UTTERANCES):
        row: dict[str, object] = {
            "id": f"d{number}",
            "utterance": utterance,
            "response_human": f"That sounds like a lot, number {number}. What was it like for you?",
            "rating_human": 1 + 2 * (number % 2),
        }
        for place, label in enumerate(LABELS):
            row[f"response_{label}"] = f"You went through {number}; who was there on day {place}?"
            row[f"rating_{label}"] = 3
        rows.append(row)
    return write_jsonl(path, rows)


def _export(folder: Path, out: str) -> None:
    done = distillery("export", "--all", "--out", out, cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace in which a table with all of the labels was built and exported."""
    folder = tmp_path_factory.mktemp("names") / "workspace"
    build_workspace(folder, source=get_source("sample"), path=SAMPLE)
    table = _table(folder / "my $(touch pwned) table.jsonl")
    done = distillery("init", table.name, "--write", cwd=folder)
    assert done.returncode == 0, done.stderr
    reproduce(folder, ["build_sft", "build_preferences"], quiet=True)
    _export(folder, "uncounted")
    reproduce(folder, ["describe_corpora", "count_corpora"], quiet=True)
    _export(folder, "exported")
    return folder


def test_no_name_was_run_and_none_left_the_folder(built: Path) -> None:
    made = [path for folder in (built.parent, PROJECT) for path in folder.rglob("[pP][wW][nN]*")]

    assert [path for path in made if ".venv" not in path.parts] == []
    assert [path.name for path in built.parent.iterdir()] == ["workspace"]


def test_every_label_has_a_corpus_under_a_slug_with_the_label_in_its_records(built: Path) -> None:
    corpora = load_params(built / "params.yaml").corpora
    responders = {
        one.id: one.responder
        for one in read_table(built / "datasets/responses/source.parquet", Response)
    }

    found = {}
    for name in corpora:
        pairs = list(
            read_table(built / f"datasets/preferences/strict/{name}.parquet", PreferencePair)
        )
        rows = list(read_table(built / f"datasets/sft/{name}.parquet", SFTExample))
        assert is_slug(name)
        assert rows
        found[name] = {responders[pair.chosen_id] for pair in pairs}
    assert found.pop(ALL_TOGETHER) == set(LABELS)
    assert sorted(label for one in found.values() for label in one) == sorted(LABELS)


def test_every_corpus_is_exported_with_its_label_on_the_card(built: Path) -> None:
    params = load_params(built / "params.yaml")

    for out in ("uncounted", "exported"):
        assert {path.name for path in (built / out).iterdir()} == set(params.corpora)
    card = (built / "exported" / "direct-gpt-4-1-temp-0-7" / "README.md").read_text()
    assert '"GPT-4.1 (temp 0.7)" is a teacher' in card


def test_a_second_build_has_nothing_to_do(built: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "--json", "build_sft", "build_preferences"],
        cwd=built,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout) == {}
