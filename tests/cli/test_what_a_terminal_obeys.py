"""What a terminal would obey, and what is no text, is spelled out before it is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Cli, distillery

ESCAPE = "\x1b[2J\x9b2J\r"


def test_an_error_spells_out_what_a_terminal_would_obey(project: Path, cli: Cli) -> None:
    (project / "answers.jsonl").write_text(json.dumps({f"said{ESCAPE}": "hello"}))

    code, _, error = cli("score", "answers.jsonl")

    assert code == 2
    assert not {"\x1b", "\x9b", "\r"} & set(error)
    assert "said⟨U+001B⟩[2J⟨U+009B⟩2J" in error
    assert error.count("\n") == 2


@pytest.mark.parametrize("sign", [ESCAPE, "\ud800"])
def test_agreement_shows_questions_and_codes_with_every_unseen_sign_spelled_out(
    project: Path, cli: Cli, sign: str
) -> None:
    rows = [
        {"item": f"i{item}", "annotator": who, "question": f"q{sign}!", "value": [f"c{sign}"]}
        for item in range(4)
        for who in ("a", "b")
    ]
    (project / "long.jsonl").write_text("\n".join(map(json.dumps, rows)))

    code, shown, _ = cli("annotate", "agreement", "long.jsonl", "--resamples", "100")
    _, as_json, _ = cli("annotate", "agreement", "long.jsonl", "--resamples", "100", "--json")

    assert code == 0
    for out in (shown, as_json):
        assert not {"\x1b", "\x9b", "\r", "\ud800"} & set(out)
    assert f"c{sign}" in json.loads(as_json)["questions"][f"q{sign}!"]["codes"]


def test_an_audit_shows_columns_and_files_with_every_unseen_sign_spelled_out(
    project: Path, cli: Cli
) -> None:
    (project / "data").mkdir()
    row = json.dumps({f"text{ESCAPE}": "As a language model I cannot."})
    (project / "data" / f"a{ESCAPE}.jsonl").write_text(f"{row}\nnone\n")

    _, shown, said = cli("audit", "data", "--out", f"out{ESCAPE}")

    assert "text⟨U+001B⟩[2J" in shown
    assert "note: a⟨U+001B⟩[2J" in shown
    assert not {"\x1b", "\x9b", "\r"} & set(shown + said)


def test_a_stream_of_another_encoding_gets_what_it_cannot_take_spelled_out(project: Path) -> None:
    (project / "a.jsonl").write_text(json.dumps({"模": "As a language model I cannot."}))

    done = distillery("audit", "a.jsonl", cwd=project, env={"PYTHONIOENCODING": "ascii:strict"})

    assert done.returncode == 1
    assert r"text=\u6a21" in done.stdout
