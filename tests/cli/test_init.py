"""`distillery init`: one's own corpus, dry run first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pipeline.params import load_params
from pipeline.stages import ingest
from pipeline.storage import read_json
from tests.builds import write_csv
from tests.cli.command import Cli
from tests.sources.raw import table_row


@pytest.fixture
def mine(project: Path) -> Path:
    """Return a person's own table."""
    return write_csv(project / "mine.csv", [table_row(number) for number in range(1, 5)])


def test_a_dry_run_changes_nothing(project: Path, cli: Cli, mine: Path) -> None:
    before = (project / "params.yaml").read_bytes()

    code, out, _ = cli("init", mine)

    assert code == 0
    assert "exchanges: 4" in out
    assert "Nothing was changed" in out
    assert (project / "params.yaml").read_bytes() == before


def test_the_mapping_is_for_scripts_too(project: Path, cli: Cli, mine: Path) -> None:
    code, out, _ = cli("init", mine, "--json")

    found = json.loads(out)
    assert code == 0
    assert found["ingest"]["columns"]["utterance"] == "utterance"
    assert found["trial"]["counts"] == {"exchanges": 4, "responses": 8, "rated": 8}
    assert found["written"] is False


def test_what_is_written_can_be_built(project: Path, cli: Cli, mine: Path) -> None:
    code, _, _ = cli("init", mine, "--write", "--licence", "CC-BY-4.0")

    params = load_params()
    assert code == 0
    assert (params.ingest.source, params.responders.reference_responder) == ("table", "human")
    assert params.responders.teacher_responders == ("bot",)
    assert params.distillations == {}
    ingest.run(
        params.ingest,
        **{name: project / "out" / name for name in ("exchanges", "responses", "rejections")},
        metrics=project / "out" / "metrics",
    )
    assert read_json(project / "out" / "metrics")["licence"] == "CC-BY-4.0"


def test_labels_of_another_corpus_are_pointed_out(project: Path, cli: Cli, mine: Path) -> None:
    (project / "annotations/rounds").mkdir(parents=True)
    (project / "annotations/rounds/0.jsonl").touch()

    _, _, err = cli("init", mine, "--write")

    assert "annotations/rounds/0.jsonl: labels of the corpus before this one?" in err


def test_what_is_written_keeps_the_comments(project: Path, cli: Cli, mine: Path) -> None:
    cli("init", mine, "--write")

    assert "# Jaccard similarity of character 4-grams" in (project / "params.yaml").read_text()


def test_the_reference_may_be_chosen(project: Path, cli: Cli, mine: Path) -> None:
    cli("init", mine, "--write", "--reference", "bot")

    assert load_params().responders.reference_responder == "bot"


def test_a_table_without_ratings_makes_a_corpus_of_references(project: Path, cli: Cli) -> None:
    path = write_csv(project / "plain.csv", [{"question": "Are you there?", "answer": "I am."}])

    code, _, _ = cli("init", path, "--write")

    assert code == 0
    assert [one.method for one in load_params().corpora.values()] == ["reference"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gone.csv",), "gone.csv: no such file"),
        (("mine.csv", "--utterance", "nope"), "--utterance nope: no such column"),
        (("mine.csv", "--reference", "nobody"), "--reference nobody: not among human, bot"),
        (("mine.csv", "--licence", "mine"), "licence 'mine': not known"),
        (("broken.csv",), "broken.csv row 2: rating_human is '9'"),
        (("empty.csv",), "empty.csv: "),
    ],
)
def test_what_cannot_be_mapped_is_exit_2(
    project: Path, cli: Cli, mine: Path, arguments: tuple[str, ...], said: str
) -> None:
    write_csv(project / "broken.csv", [table_row(1), table_row(2, rating_human="9")])
    (project / "empty.csv").touch()
    before = (project / "params.yaml").read_bytes()

    code, _, err = cli("init", *arguments, "--write")

    assert code == 2
    assert err.startswith("error: ")
    assert said in err
    assert (project / "params.yaml").read_bytes() == before


def test_broken_params_are_not_written_over(project: Path, cli: Cli, mine: Path) -> None:
    (project / "params.yaml").write_text("seed: [")

    code, _, err = cli("init", mine, "--write")

    assert code == 2
    assert "not YAML" in err
    assert (project / "params.yaml").read_text() == "seed: ["


def test_a_mapping_of_an_earlier_table_is_replaced(project: Path, cli: Cli, mine: Path) -> None:
    cli("init", mine, "--write")
    path = write_csv(project / "plain.csv", [{"question": "Are you there?", "answer": "I am."}])
    cli("init", path, "--write")

    columns = yaml.safe_load((project / "params.yaml").read_text())["ingest"]["columns"]
    assert list(columns["responses"]) == ["reference"]
