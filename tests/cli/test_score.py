from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Cli


def test_a_file_without_the_columns_is_an_error_that_names_them(project: Path, cli: Cli) -> None:
    (project / "answers.csv").write_text("said,answer\nhello,hi\n", encoding="utf-8")

    code, _, error = cli("score", "answers.csv")

    assert code == 2
    assert "no column utterance, response" in error


def test_without_a_scorer_the_next_command_is_named(project: Path, cli: Cli) -> None:
    (project / "answers.csv").write_text("utterance,response\nhello,hi\n", encoding="utf-8")

    code, _, error = cli("score", "answers.csv", "--model", "nowhere")

    assert code == 2
    assert "dvc repro train_scorer" in error


def test_rated_train_responses_are_exported_for_fine_tuning(
    project: Path, cli: Cli, sample_build: Path
) -> None:
    code, _, note = cli("tuning", "--in", str(sample_build), "--out", "tuning.jsonl")

    lines = (project / "tuning.jsonl").read_text(encoding="utf-8").splitlines()
    assert code == 0
    assert f"tuning.jsonl: {len(lines)} rows of" in note
    assert 0 < len(lines) < 288


@pytest.mark.parametrize("column", ["utterance", "response", "situation"])
def test_half_a_character_is_an_error_with_its_row_that_does_not_repeat_the_text(
    project: Path, cli: Cli, column: str
) -> None:
    whole = {"utterance": "hello", "response": "hi", "situation": "a day"}
    rows = [whole, {**whole, column: "my secret \ud800"}]
    (project / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))

    code, _, error = cli("score", "answers.jsonl", "--situation", "situation")

    assert code == 2
    assert f"answers.jsonl row 2: {column} holds half a character" in error
    assert "secret" not in error
