"""`distillery explain`: the chain as a tree for people and as JSON for scripts."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.cli.explain import tree_lines
from pipeline.records import PreferencePair
from pipeline.reporting.explain import Step
from pipeline.storage import read_table
from tests.cli.command import Cli


def _pair_id(build: Path) -> str:
    path = build / "datasets/preferences/strict/direct-all_together.parquet"
    return next(read_table(path, PreferencePair)).id


def test_the_tree_begins_with_the_row_and_ends_with_the_raw_file(
    sample_build: Path, cli: Cli
) -> None:
    row = _pair_id(sample_build)

    code, out, _ = cli("explain", row, "--in", sample_build)

    assert code == 0
    assert out.splitlines()[0].startswith(f"{row}  in datasets/preferences/")
    assert "of exchanges.jsonl, sha256 " in out


def test_the_chain_is_for_scripts_too(sample_build: Path, cli: Cli) -> None:
    row = _pair_id(sample_build)

    code, out, _ = cli("explain", row, "--in", sample_build, "--json")

    assert code == 0
    assert json.loads(out)["id"] == row
    assert len(json.loads(out)["parents"]) == 3


def test_an_unknown_row_is_exit_2(sample_build: Path, cli: Cli) -> None:
    code, out, err = cli("explain", "sft-0", "--in", sample_build)

    assert (code, out) == (2, "")
    assert "row sft-0: in none of the" in err


def test_a_row_that_comes_back_is_only_named() -> None:
    raw = Step("exchange-1", ("exchanges",), {"utterance": "hello"}, ())
    answer = Step("response-1", ("responses",), {}, (), (raw,))

    lines = tree_lines(Step("sft-1", ("sft",), {}, (), (raw, answer)))

    assert lines == [
        "sft-1  in sft",
        "├── exchange-1  in exchanges",
        "│   └── utterance: hello",
        "└── response-1  in responses",
        "    └── exchange-1 (above)",
    ]


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    lines = tree_lines(Step("x", (), {"text": "\x1b[2J gone"}, ("\x07",)))

    assert not any("\x1b" in line or "\x07" in line for line in lines)
