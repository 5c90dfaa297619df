"""`distillery init`: one's own corpus, dry run first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from dvc.parsing import DataResolver
from dvc.repo import Repo

from pipeline.corpora.params import DirectCorpus
from pipeline.params import load_params
from pipeline.stages import ingest
from pipeline.storage import read_json
from tests.builds import write_csv, write_jsonl
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


def rated(path: Path, *labels: str) -> Path:
    """Write a table in which each of `labels` answers one utterance, rated, beside a person."""
    row: dict[str, object] = {"utterance": "Are you there?", "response_human": "I am."}
    row["rating_human"] = 1
    for number, label in enumerate(labels):
        row |= {f"response_{label}": f"Yes, I am {number}.", f"rating_{label}": 3}
    return write_jsonl(path, [row])


@pytest.mark.parametrize(
    ("label", "corpus"),
    [
        ("gpt-4.1", "direct-gpt-4-1"),
        ("GPT-4.1 (temp 0.7)", "direct-gpt-4-1-temp-0-7"),
        ("Llama 3 70B", "direct-llama-3-70b"),
        ("no", "direct-no"),
        ("null", "direct-null"),
        ("a/b", "direct-a-b"),
        ("$(touch pwned)", "direct-touch-pwned"),
        ("x;touch PWNED;#", "direct-x-touch-pwned"),
        ("x/../../x", "direct-x-x"),
        ("x" * 300, "direct-" + "x" * 57),
    ],
)
def test_the_corpus_of_a_label_has_its_slug_and_the_label_stays(
    project: Path, cli: Cli, label: str, corpus: str
) -> None:
    code, out, _ = cli("init", rated(project / "mine.jsonl", label), "--write")

    params = load_params()
    assert code == 0
    assert params.responders.teacher_responders == (label,)
    assert list(params.corpora) == [corpus]
    assert label in "".join(out.split("\n")) or label in out


@pytest.mark.parametrize("label", ["模型", "🙂", "..", "~", "\u202eevil", "'"])
def test_a_label_that_leaves_no_letter_has_a_corpus_too(
    project: Path, cli: Cli, label: str
) -> None:
    code, _, _ = cli("init", rated(project / "mine.jsonl", label), "--write")

    (corpus,) = load_params().corpora.values()
    assert code == 0
    assert isinstance(corpus, DirectCorpus)
    assert corpus.teachers == (label,)


def test_labels_that_differ_in_case_alone_are_two_responders(project: Path, cli: Cli) -> None:
    cli("init", rated(project / "mine.jsonl", "Bot", "bot"), "--write")

    params = load_params()
    assert params.ingest.columns is not None
    columns = params.ingest.columns.responses
    assert (columns["Bot"].rating, columns["bot"].rating) == ("rating_Bot", "rating_bot")
    assert len(params.corpora) == 3


def test_what_is_written_another_program_reads_as_well(project: Path, cli: Cli) -> None:
    cli("init", rated(project / "mine.jsonl", "no", "1e3"), "--write")

    written = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    assert written["responders"]["teacher_responders"] == ["no", "1e3"]


@pytest.mark.parametrize(
    "name", ["a b.jsonl", "$(touch pwned).jsonl", "${seed}.jsonl", 'it\'s "q".jsonl', "模型.jsonl"]
)
def test_dvc_finds_a_file_of_any_name(project: Path, cli: Cli, name: str) -> None:
    cli("init", rated(Path(name), "bot"), "--write")

    dvc = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))
    repo = Repo.init(str(project), no_scm=True)
    stages = DataResolver(repo, str(project), dvc).resolve()["stages"]
    assert stages["ingest"]["deps"][0] == name
    assert name not in stages["ingest"]["cmd"]


@pytest.mark.parametrize("name", ["a\x1b[31m.jsonl", "\udc80.jsonl"])
def test_a_file_whose_name_is_no_text_is_refused(project: Path, cli: Cli, name: str) -> None:
    before = (project / "params.yaml").read_bytes()

    code, _, err = cli("init", rated(project / name, "bot"), "--write")

    assert code == 2
    assert "Rename the file." in err
    assert (project / "params.yaml").read_bytes() == before


def test_a_label_with_a_control_character_is_refused(project: Path, cli: Cli) -> None:
    code, _, err = cli("init", rated(project / "mine.jsonl", "\x1b[31mred"), "--write")

    assert code == 2
    assert "cannot name a responder (U+001B" in err
    assert "\x1b" not in err


def test_two_columns_of_one_responder_are_told(project: Path, cli: Cli) -> None:
    row = {"question": "Are you there?", "answer_bot": "I am.", "reply_bot": "No."}

    code, _, err = cli("init", write_jsonl(project / "mine.jsonl", [row]), "--write")

    assert code == 2
    assert "columns 'answer_bot' and 'reply_bot': both hold responses of 'bot'" in err


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


@pytest.mark.parametrize(
    "label",
    ["a\x85b", "\u2028x", "x y " * 60 + "end", "\\ '\"" * 40, " two  spaces ", "word\u200b " * 30],
)
def test_a_label_comes_back_from_params_as_it_was(project: Path, cli: Cli, label: str) -> None:
    code, _, err = cli("init", rated(project / "mine.jsonl", label), "--write")

    params = load_params()
    assert code == 0, err
    assert params.responders.teacher_responders == (label,)
    assert params.ingest.columns is not None
    assert params.ingest.columns.responses[label].rating == f"rating_{label}"


def test_a_file_with_a_colon_in_its_name_is_no_address(project: Path, cli: Cli) -> None:
    code, _, err = cli("init", rated(Path("wave:2.jsonl"), "bot"), "--write")

    assert code == 0, err
    assert load_params().ingest.path == Path("wave:2.jsonl")
    assert (
        yaml.safe_load((project / "params.yaml").read_text())["ingest"]["path"] == "./wave:2.jsonl"
    )
