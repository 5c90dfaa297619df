"""params.yaml: every problem is named with its key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.errors import MissingFileError, ParamsError
from pipeline.params import edit_params, load_params
from pipeline.workspace import PROJECT
from pipeline.yaml_files import format_yaml

OURS = PROJECT / "params.yaml"


def _changed(folder: Path, *keys: str, value: object) -> Path:
    """Return params.yaml with the value at `keys` replaced."""
    params = yaml.safe_load(OURS.read_text(encoding="utf-8"))
    section = params
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    return path


def test_our_own_params_are_valid() -> None:
    assert load_params(OURS).seed >= 0


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (("sead",), r"sead: Extra inputs"),
        (("ingest", "pathh"), r"ingest\.pathh: Extra inputs"),
        (("prompt", "words"), r"prompt\.words: Extra inputs"),
        (
            ("corpora", "direct-listener_b", "teacher"),
            r"corpora\.direct-listener_b.*teacher: Extra",
        ),
    ],
)
def test_an_unknown_key_is_named(tmp_path: Path, keys: tuple[str, ...], problem: str) -> None:
    path = _changed(tmp_path, *keys, value=1)

    with pytest.raises(ParamsError, match=rf"params\.yaml: 1 problem\(s\)\n  {problem}"):
        load_params(path)


@pytest.mark.parametrize(
    ("keys", "value", "problem"),
    [
        (("ingest", "source"), "nowhere", r"ingest\.source: source 'nowhere' is not one of"),
        (
            ("distillations", "human-naive", "strategy"),
            "nice",
            r"distillations\.human-naive: strategy 'nice' is not one of direct, .*\(line \d+\)",
        ),
        (("evaluate", "judges"), ["dice"], r"evaluate\.judges: judge 'dice' is not one of scorer"),
        (("split", "rule"), "random", r"split\.rule"),
        (("split", "test_share"), 1.5, r"split\.test_share"),
        (("split", "near_duplicate_threshold"), 0, r"split\.near_duplicate_threshold"),
        (("prompt", "max_words"), 0, r"prompt\.max_words"),
        (("seed",), -1, "seed"),
        (("corpora",), {}, "corpora"),
        (("responders", "teacher_responders"), ["listener_a"], "both the reference and a teacher"),
        (("corpora", "direct-listener_b", "teachers"), ["listener_z"], "listener_z is not among"),
    ],
)
def test_a_wrong_value_is_named(
    tmp_path: Path, keys: tuple[str, ...], value: object, problem: str
) -> None:
    with pytest.raises(ParamsError, match=problem):
        load_params(_changed(tmp_path, *keys, value=value))


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    path = _changed(tmp_path, "split", value={"rule": "papers", "seed": 1})

    with pytest.raises(ParamsError, match=r"4 problem\(s\)"):
        load_params(path)


@pytest.mark.parametrize("content", [b"seed: [", b"\xff\xfe", b"seed: \x00", b"a: b: c"])
def test_what_is_no_yaml_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)

    with pytest.raises(ParamsError, match="not YAML"):
        load_params(path)


@pytest.mark.parametrize("kind", ["corpora", "distillations", "models"])
@pytest.mark.parametrize("name", ["gpt-4.1", "x/../../x", "$(touch pwned)", "No", "x" * 300, ""])
def test_a_name_that_is_no_slug_is_refused_where_it_is_read(
    tmp_path: Path, kind: str, name: str
) -> None:
    entries = yaml.safe_load(OURS.read_text(encoding="utf-8"))[kind]

    path = _changed(tmp_path, kind, value={**entries, name: next(iter(entries.values()))})

    with pytest.raises(ParamsError, match=rf"1 problem\(s\)\n  {kind}: '.*cannot be a name"):
        load_params(path)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        (("students",), "students.0"),
        (("distillations", "human-naive", "parents"), "distillations.human-naive.parents"),
        (("corpora", "human-naive", "responses"), r"corpora.human-naive.human.responses"),
        (("corpora", "direct-listener_b", "responses"), "corpora.direct-listener_b.direct.respon"),
        (("models", "base", "student"), "models.base.student"),
        (("train_dpo", "pairs"), "train_dpo.pairs"),
    ],
)
def test_no_path_leads_out_of_the_build(tmp_path: Path, keys: tuple[str, ...], what: str) -> None:
    value = ["x/../../x"] if keys == ("students",) else "x/../../x"

    with pytest.raises(ParamsError, match=what):
        load_params(_changed(tmp_path, *keys, value=value))


@pytest.mark.parametrize("name", ["7", "null", "true", "1e3"])
def test_a_name_that_yaml_takes_for_another_thing_is_to_be_quoted(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "params.yaml"
    text = OURS.read_text(encoding="utf-8")
    path.write_text(text.replace("  direct-all_together:", f"  {name}:"), encoding="utf-8")

    with pytest.raises(ParamsError, match=r"corpora: .* is no text, so no name: write it in q"):
        load_params(path)

    path.write_text(text.replace("  direct-all_together:", f'  "{name}":'), encoding="utf-8")
    assert name in load_params(path).corpora


def test_a_key_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(OURS.read_text(encoding="utf-8") + "\nseed: 43\n", encoding="utf-8")

    with pytest.raises(ParamsError, match='duplicate key "seed"'):
        load_params(path)


def test_a_teacher_may_be_called_no(tmp_path: Path) -> None:
    text = OURS.read_text(encoding="utf-8").replace("listener_b", "no")
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")

    assert load_params(path).responders.teacher_responders == ("no", "listener_c")


def test_an_edit_that_does_not_check_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy(OURS, path)

    with pytest.raises(ParamsError, match="seed"), edit_params(path) as params:
        params["seed"] = -1

    assert path.read_bytes() == OURS.read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("text", ["[" * 20_000, "a: " * 20_000, "{" * 20_000, "- " * 20_000])
def test_twenty_thousand_brackets_are_one_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ParamsError, match=r"1 problem\(s\)\n  not YAML: "):
        load_params(path)


@pytest.mark.parametrize("content", ["", "[]", "42"])
def test_what_is_no_mapping_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ParamsError, match="problem"):
        load_params(path)


def test_without_params_the_right_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"the one with dvc\.yaml in it"):
        load_params(tmp_path / "params.yaml")


def test_an_unknown_corpus_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(ParamsError, match="there are direct-listener_b, direct-listener_c"):
        load_params(OURS).require("corpora", "direct-nobody")


@pytest.mark.parametrize(
    "keys",
    [("ingest", "path"), ("llm", "rater", "cassette"), ("base_model", "source")],
)
@pytest.mark.parametrize(
    "address",
    [
        "http://a.b/x",
        "s3://b/x",
        "ssh://h/x",
        "file:///x",
        "S3:x",
        " https://a.b/x",
        "remote://r/x",
    ],
)
def test_a_path_is_on_this_machine(tmp_path: Path, keys: tuple[str, ...], address: str) -> None:
    with pytest.raises(ParamsError, match=rf"{keys[-1]}: this is an address, .* \(line \d+\)"):
        load_params(_changed(tmp_path, *keys, value=address))


@pytest.mark.parametrize("name", ["./a:b.csv", "C:/data/x.csv", "/data/a b.csv", "data/http:x"])
def test_a_local_path_may_have_a_colon(tmp_path: Path, name: str) -> None:
    assert load_params(_changed(tmp_path, "ingest", "path", value=name)).ingest.path == Path(name)


def test_a_problem_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    text = OURS.read_text(encoding="utf-8").replace("method: direct", "method: indirect", 1)
    path.write_text(text.replace("\nseed: 42", "\nseed: -1"), encoding="utf-8")
    line = text.split("  direct-listener_b:")[0].count("\n") + 1

    with pytest.raises(ParamsError, match=rf"seed: .* \(line 2\)\n  corpora.*\(line {line}\)"):
        load_params(path)


def test_a_problem_in_what_is_merged_is_said(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    text = OURS.read_text(encoding="utf-8")
    path.write_text(text.replace("\nsplit:", "\nsplit:\n  <<: {test_shar: 1}"), encoding="utf-8")

    with pytest.raises(ParamsError, match=r"split\.test_shar: Extra inputs"):
        load_params(path)


@pytest.mark.parametrize(("kind", "name"), [("distillations", "source"), ("corpora", "base_model")])
def test_a_name_that_the_build_has_itself_is_refused_with_its_line(
    tmp_path: Path, kind: str, name: str
) -> None:
    entries = yaml.safe_load(OURS.read_text(encoding="utf-8"))[kind]
    path = _changed(tmp_path, kind, value={**entries, name: entries["human-naive"]})

    with pytest.raises(
        ParamsError, match=rf"1 problem\(s\)\n  {kind}: {name} is .* migrate.* \(line \d+\)"
    ):
        load_params(path)


def test_an_edit_that_is_not_read_back_as_it_was_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy(OURS, path)
    monkeypatch.setattr(
        "pipeline.params.format_yaml", lambda values: format_yaml(values).replace("bob", "rob")
    )

    with (
        pytest.raises(ParamsError, match="responders: cannot be written"),
        edit_params(path) as params,
    ):
        params["responders"]["reference_responder"] = "bob"

    assert path.read_bytes() == OURS.read_bytes()
