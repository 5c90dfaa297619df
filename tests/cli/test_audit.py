from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Cli


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def jsonl(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


CLEAN: list[dict[str, object]] = [
    {"prompt": "The roof is gone.", "response": "You watched it go, and the rain came in."},
    {"prompt": "I start on Monday.", "response": "A whole new desk; what are you hoping for?"},
]
REFUSAL: dict[str, object] = {
    "prompt": "I feel low.",
    "response": "I am unable to provide the help that you need.",
}


def test_a_clean_file_exits_0_and_a_finding_exits_1(cli: Cli, folder: Path) -> None:
    assert cli("audit", jsonl(folder / "clean.jsonl", *CLEAN))[0] == 0
    code, out, err = cli("audit", jsonl(folder / "bad.jsonl", *CLEAN, REFUSAL))

    assert code == 1
    assert "refusals                ok" in out
    assert "1 findings of severity warning or critical" in err
    assert (folder / "audit-bad" / "findings.parquet").is_file()


def test_json_is_the_summary_alone(cli: Cli, folder: Path) -> None:
    _, out, _ = cli("audit", jsonl(folder / "bad.jsonl", REFUSAL), "--json", "--out", "here")

    summary = json.loads(out)
    assert summary["detectors"]["refusals"]["counts"] == {"info": 0, "warning": 1, "critical": 0}
    assert json.loads((folder / "here" / "summary.json").read_text())["rows"] == 1


def test_a_wrong_column_is_named_with_a_near_one(cli: Cli, folder: Path) -> None:
    code, _, err = cli("audit", jsonl(folder / "a.jsonl", *CLEAN), "--text", "respons")

    assert code == 2
    assert "no column 'respons'\nWas 'response' meant?" in err


def test_given_columns_take_the_place_of_guessed_ones(cli: Cli, folder: Path) -> None:
    path = jsonl(folder / "a.jsonl", {"one": "I hear you well.", "two": "Not that at all.", "k": 1})

    _, out, _ = cli("audit", path, "--text", "two", "--label", "k", "--json")

    assert json.loads(out)["columns"] == {"text": "two", "label": "k"}


def test_a_pair_is_two_columns(cli: Cli, folder: Path) -> None:
    path = jsonl(folder / "a.jsonl", {"good": "I hear you well.", "bad": "i hear you well"})

    code, out, _ = cli("audit", path, "--pair", "good,bad", "--json")

    assert code == 1
    assert json.loads(out)["detectors"]["pair_ties"]["counts"]["critical"] == 1
    assert cli("audit", path, "--pair", "good")[0] == 2


def test_an_unknown_source_names_the_known_ones(cli: Cli, folder: Path) -> None:
    code, _, err = cli("audit", "--source", "welivita", "--path", folder / "a.csv")

    assert code == 2
    assert "welivita2024" in err


def test_no_file_says_how_to_name_one(cli: Cli) -> None:
    assert "distillery audit FILE" in cli("audit", "--json")[2]
