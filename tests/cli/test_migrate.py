"""`distillery migrate`: names that an earlier version took, made slugs wherever they stand."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.corpora.params import DirectCorpus
from pipeline.errors import ParamsError
from pipeline.params import load_params
from pipeline.workspace import PROJECT
from tests.cli.command import Cli

OLD = Path(__file__).parent / "params_before_slugs.yaml"
WAIVER = (
    'waivers: [{detector: refusals, table: sft-direct-GPT-4.1, reason: known, author: a, expires: "'
    '2030-01-31"}]'
)


@pytest.fixture
def with_labels(project: Path) -> Path:
    """Return a params.yaml with names that were taken before they had to be slugs."""
    path = project / "params.yaml"
    text = OLD.read_text(encoding="utf-8").replace("waivers: []", WAIVER)
    for name, label in (
        ("direct-listener_b", "direct-GPT-4.1"),
        ("direct-listener_c", "7"),
        ("human-sequential", "Human Sequential"),
    ):
        text = text.replace(name, label)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_params_file_of_before_loads_as_it_is(project: Path, cli: Cli) -> None:
    shutil.copy(OLD, project / "params.yaml")

    assert load_params().students == ("human-sequential",)
    assert cli("migrate", "--write")[1] == (
        "params.yaml: all names are slugs, nothing is to be changed\n"
    )
    assert (project / "params.yaml").read_bytes() == OLD.read_bytes()


def test_names_that_are_no_slugs_are_refused_with_what_to_do(with_labels: Path) -> None:
    with pytest.raises(ParamsError, match=r"corpora: 'direct-GPT-4\.1' .*`distillery migrate`"):
        load_params(with_labels)


def test_a_dry_run_says_what_it_would_rename_and_changes_nothing(
    with_labels: Path, cli: Cli
) -> None:
    before = with_labels.read_bytes()

    code, out, _ = cli("migrate")

    assert code == 0
    assert "corpora: 'direct-GPT-4.1' -> direct-gpt-4-1\n" in out
    assert "Nothing was changed" in out
    assert with_labels.read_bytes() == before


def test_a_name_is_renamed_wherever_it_stands(with_labels: Path, cli: Cli) -> None:
    code, _, err = cli("migrate", "--write")

    params = load_params(with_labels)
    assert code == 0
    assert "make clean; dvc repro" in err
    assert list(params.corpora)[:2] == ["direct-gpt-4-1", "7"]
    assert params.corpora["human-sequential"].responses == "human-sequential"
    assert list(params.distillations)[-1] == "human-sequential"
    assert params.students == ("human-sequential",)
    assert params.models["dpo-human-sequential"].student == "human-sequential/dpo"
    assert params.audit.waivers[0].table == "sft-direct-gpt-4-1"


def test_labels_and_all_else_stay(with_labels: Path, cli: Cli) -> None:
    before = yaml.safe_load(with_labels.read_text(encoding="utf-8"))

    cli("migrate", "--write")

    after = yaml.safe_load(with_labels.read_text(encoding="utf-8"))
    renamed = {"corpora", "distillations", "students", "models", "audit"}
    assert {key: one for key, one in after.items() if key not in renamed} == {
        key: one for key, one in before.items() if key not in renamed
    }
    corpus = load_params(with_labels).corpora["direct-gpt-4-1"]
    assert isinstance(corpus, DirectCorpus)
    assert corpus.teachers == ("listener_b",)
    assert "# Corpora under `corpora` that a student is trained on." in with_labels.read_text()


def test_a_second_time_there_is_nothing_to_do(with_labels: Path, cli: Cli) -> None:
    cli("migrate", "--write")

    assert "nothing is to be changed" in cli("migrate", "--write")[1]


def test_two_names_that_meet_in_one_slug_stay_two(project: Path, cli: Cli) -> None:
    path = project / "params.yaml"
    text = OLD.read_text(encoding="utf-8").replace("direct-listener_c:", "direct-listener_B:")
    path.write_text(text, encoding="utf-8")

    cli("migrate", "--write")

    names = list(load_params(path).corpora)
    assert names[0] == "direct-listener_b"
    assert names[1].startswith("direct-listener_b-")


def test_what_is_no_params_file_is_left_alone(project: Path, cli: Cli) -> None:
    (project / "params.yaml").write_text("[" * 20_000, encoding="utf-8")

    code, _, err = cli("migrate", "--write")

    assert code == 2
    assert "not YAML" in err


@pytest.mark.parametrize(
    "text", ["corpora: {A: 3}\naudit: {waivers: 3}", "corpora: [A]\nstudents: {A: 1}\nmodels: 3"]
)
def test_what_is_broken_beyond_its_names_is_said_and_left(
    project: Path, cli: Cli, text: str
) -> None:
    (project / "params.yaml").write_text(text + "\ndistillations: {B: []}", encoding="utf-8")
    before = (project / "params.yaml").read_bytes()

    code, _, err = cli("migrate", "--write")

    assert code == 2
    assert err.startswith("error: params.yaml: ")
    assert (project / "params.yaml").read_bytes() == before


def test_our_own_names_are_slugs_already(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)

    assert "nothing is to be changed" in cli("migrate")[1]


def test_the_salt_of_annotators_becomes_the_secret(project: Path, cli: Cli) -> None:
    shutil.copy(OLD, project / "params.yaml")
    salt, secret = Path(".distillery/annotation/salt"), Path(".distillery/people/secret")
    salt.parent.mkdir(parents=True)
    salt.write_text("ab" * 32 + "\n", encoding="ascii")
    salt.chmod(0o600)

    said = cli("migrate")[1]

    assert f"{salt} -> {secret}\n" in said
    assert salt.exists()
    assert not secret.exists()
    assert cli("migrate", "--write")[0] == 0
    assert secret.read_text(encoding="ascii") == "ab" * 32 + "\n"
    assert not salt.exists()


@pytest.mark.parametrize("name", ["7", "true"])
def test_two_names_of_one_text_are_left_to_a_person(project: Path, cli: Cli, name: str) -> None:
    path = project / "params.yaml"
    text = OLD.read_text(encoding="utf-8")
    text = text.replace("direct-listener_b:", f"{name}:")
    text = text.replace("direct-listener_c:", f'"{name}":')
    path.write_text(text, encoding="utf-8")

    code, _, err = cli("migrate", "--write")

    assert code == 2
    assert "two names are the same text" in err
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["2024-01-01", "1.5", "0x10", "12345678" * 500])
def test_a_name_that_yaml_takes_for_another_thing_is_renamed_wherever_it_stands(
    project: Path, cli: Cli, name: str
) -> None:
    path = project / "params.yaml"
    text = OLD.read_text(encoding="utf-8")
    text = text.replace(
        "human-sequential: {method: human, resp", f"? {name}\n  : {{method: human, resp"
    )
    text = text.replace("students: [human-sequential]", f"students: [{name}]")
    text = re.sub(r"human-sequential/(sft|dpo)", "base_model", text)
    path.write_text(text, encoding="utf-8")

    code, _, err = cli("migrate", "--write")

    params = load_params()
    assert code == 0, err
    assert params.students == tuple(params.corpora)[-1:]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("<<: {Human X: {method: human, responses: human-naive}}", "come by a merge key"),
        ("[a, b]: {method: human, responses: human-naive}", "a list or a map is no name"),
        ("{a: b}: {method: human, responses: human-naive}", "a list or a map is no name"),
        ("? 0x" + "f" * 4000 + "\n  : {method: human, responses: human-naive}", "1000 digits"),
        ('"' + "f" * 4000 + '": {method: human, responses: human-naive}', "not YAML"),
        (".nan: {method: human, responses: human-naive}", "nan is no text"),
    ],
)
def test_what_cannot_be_renamed_is_one_error_and_the_file_stays(
    project: Path, cli: Cli, entry: str, said: str
) -> None:
    path = project / "params.yaml"
    text = OLD.read_text(encoding="utf-8").replace("\ncorpora:\n", f"\ncorpora:\n  {entry}\n")
    path.write_text(text, encoding="utf-8")

    code, _, err = cli("migrate", "--write")

    assert code == 2
    assert said in err
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["source", "Source"])
def test_no_distillation_gets_the_name_of_the_responses_that_came(
    project: Path, cli: Cli, name: str
) -> None:
    path = project / "params.yaml"
    text = OLD.read_text(encoding="utf-8")
    text = text.replace(
        "human-naive: {method: human, strategy", f"{name}: {{method: human, strategy"
    )
    path.write_text(text.replace("responses: human-naive", f"responses: {name}"), encoding="utf-8")

    code, _, err = cli("migrate", "--write")

    params = load_params()
    assert code == 0, err
    new = next(iter(params.distillations))
    assert new.startswith("source-")
    assert params.corpora["human-naive"].responses == new
    assert params.corpora["direct-listener_b"].responses == "source"
    assert {one.parents for one in params.distillations.values()} == {"source"}


@pytest.mark.parametrize("name", ["base_model", "Base_Model"])
def test_no_corpus_gets_the_name_of_the_base_model(project: Path, cli: Cli, name: str) -> None:
    path = project / "params.yaml"
    text = OLD.read_text(encoding="utf-8").replace("base_model", "BASE")
    text = text.replace("human-sequential: {method: human, resp", f"{name}: {{method: human, resp")
    text = text.replace("students: [human-sequential]", f"students: [{name}]")
    text = text.replace("human-sequential/", f"{name}/").replace("BASE", "base_model")
    path.write_text(text, encoding="utf-8")

    code, _, err = cli("migrate", "--write")

    params = load_params()
    assert code == 0, err
    (student,) = params.students
    assert student.startswith("base_model-")
    assert {one.student for one in params.models.values()} == {
        "base_model",
        f"{student}/sft",
        f"{student}/dpo",
    }


def test_what_is_inherited_by_an_entry_stays_inherited(project: Path, cli: Cli) -> None:
    path = project / "params.yaml"
    text = OLD.read_text(encoding="utf-8").replace("direct-listener_b:", "direct-listener_b: &b")
    text = text.replace("\n# What a usable", "\n  Direct C:\n    <<: *b\n\n# What a usable", 1)
    path.write_text(text, encoding="utf-8")

    code, _, err = cli("migrate", "--write")

    assert code == 0, err
    assert "<<: *b" in path.read_text(encoding="utf-8")
    assert load_params().corpora["direct-c"] == load_params().corpora["direct-listener_b"]
