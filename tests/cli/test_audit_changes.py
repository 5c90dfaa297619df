"""`distillery audit FILE`, then `diff` and `apply`, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Cli

REPLIES = [
    "That sounds like a long and lonely week, and I am glad that you told me.",
    "As an AI language model, I am not able to have feelings about your week.",
    "What would help you most tonight, do you think, after a day such as this?",
    "You worked on this for months, so of course it hurts to see it turned down.",
]


@pytest.fixture
def audited(tmp_path: Path, cli: Cli) -> Path:
    """Return a folder with data.jsonl and the folder `first` of its audit."""
    rows = [json.dumps({"id": f"r{n}", "response": text}) for n, text in enumerate(REPLIES)]
    (tmp_path / "data.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    code, _, _ = cli("audit", str(tmp_path / "data.jsonl"), "--out", str(tmp_path / "first"))
    assert code == 1
    return tmp_path


def test_a_cleaned_copy_is_better_than_the_file_it_was_made_of(audited: Path, cli: Cli) -> None:
    data, first = str(audited / "data.jsonl"), str(audited / "first")
    clean = audited / "clean"

    code, out, _ = cli(
        *("audit", "apply", data, "--audit", first, "--out", str(clean)),
        *("--drop", "self_reference", "--json"),
    )
    assert code == 0
    assert {key: json.loads(out)[key] for key in ("kept", "dropped")} == {"kept": 3, "dropped": 1}

    cli("audit", str(clean / "data.jsonl"), "--out", str(audited / "second"))
    code, out, _ = cli("audit", "diff", first, str(audited / "second"), "--json")
    assert code == 0
    change = json.loads(out)["self_reference"]
    assert (change["verdict"], change["gone"], change["came"]) == ("better", [["r1"]], [])


def test_the_audit_leaves_a_page_beside_the_findings(audited: Path) -> None:
    page = (audited / "first" / "index.html").read_text(encoding="utf-8")

    assert "Audit of data" in page
    assert "Self reference" in page


def test_a_wrong_rule_is_a_usage_error_and_writes_nothing(audited: Path, cli: Cli) -> None:
    code, _, said = cli(
        *("audit", "apply", str(audited / "data.jsonl"), "--audit", str(audited / "first")),
        *("--out", str(audited / "clean"), "--drop", "refusal"),
    )

    assert code == 2
    assert "no such detector" in said
    assert not (audited / "clean").exists()
