from __future__ import annotations

import json
import os
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


@pytest.mark.parametrize("name", [".", "../rows", "../rows/.", "../rows/"])
def test_a_report_is_called_after_the_real_name_of_its_folder(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (folder / "rows").mkdir()
    jsonl(folder / "rows" / "train.jsonl", *CLEAN)
    monkeypatch.chdir(folder / "rows")

    for _ in range(2):
        assert cli("audit", name)[0] == 0

    assert (folder / "rows" / "audit-rows" / "index.html").is_file()


def test_names_that_are_not_utf_8_are_audited_shown_and_copied(cli: Cli, folder: Path) -> None:
    path = jsonl(folder / os.fsdecode(b"caf\xe9.jsonl"), *CLEAN, REFUSAL)

    code, out, err = cli("audit", path)
    copied, said, _ = cli(
        *("audit", "apply", path, "--audit", r"audit-caf\xe9", "--drop", "refusals"),
        *("--out", "clean"),
    )

    assert (code, copied) == (1, 0)
    assert out.startswith(r"caf\xe9: 3 rows")
    assert r"audit-caf\xe9" in err
    assert said.startswith("clean/caf⟨U+DCE9⟩.jsonl: 2 rows")
    assert len((folder / "clean" / path.name).read_text().splitlines()) == 2


@pytest.mark.parametrize("command", ["audit", "apply"])
def test_a_folder_that_no_table_can_be_written_to_is_refused(
    cli: Cli, folder: Path, command: str
) -> None:
    path = jsonl(folder / "a.jsonl", *CLEAN, REFUSAL)
    cli("audit", path)
    out = folder / os.fsdecode(b"o\xe9") / "new"
    apply = ("audit", "apply", path, "--audit", "audit-a", "--drop", "refusals", "--out", out)

    code, _, err = cli(*(("audit", path, "--out", out) if command == "audit" else apply))

    assert code == 2
    assert "the path is not UTF-8\nChoose another --out" in err
    assert not out.parent.exists()
