"""dvc.yaml names every module that a stage imports, and only what there is."""

from __future__ import annotations

import re
import shlex
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.parsing import DataResolver
from dvc.repo import Repo

from pipeline.dag.command import stage_command
from pipeline.dag.declared import DeclarationError
from pipeline.dag.dvc_yaml import check_dvc_yaml
from pipeline.dag.signature import read_stage
from pipeline.errors import ParamsError
from pipeline.names import TAKEN, is_slug
from pipeline.params import Params, load_params
from pipeline.workspace import PROJECT

DVC: dict[str, Any] = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES: dict[str, dict[str, Any]] = {
    name: stage.get("do", stage) for name, stage in DVC["stages"].items()
}


def _written(key: str) -> dict[str, list[str]]:
    """Return what each stage writes, by stage, where every name under params.yaml is `key`."""
    paths: dict[str, list[str]] = {}
    for name, stage in STAGES.items():
        outs = [*stage.get("outs", ()), *stage.get("metrics", ()), *stage.get("plots", ())]
        texts = [one if isinstance(one, str) else next(iter(one)) for one in outs]
        paths[name] = [re.sub(r"\$\{[^}]*\}", key, text) for text in texts]
    return paths


def _taken_by_paths() -> list[str]:
    """Return every name that a part of a path has in dvc.yaml, and one that none has."""
    parts = {part for paths in _written("").values() for path in paths for part in Path(path).parts}
    return sorted({Path(part).stem for part in parts if is_slug(Path(part).stem)} | {"one-of-ours"})


@pytest.mark.parametrize("name", _taken_by_paths())
def test_no_two_stages_write_one_path_whatever_is_called_like_a_part_of_it(name: str) -> None:
    for kind, stages in BY_NAME.items():
        if name == TAKEN.get(kind):
            continue
        written = _written("other")
        written |= {stage: paths for stage, paths in _written(name).items() if stage in stages}
        places = [(stage, Path(path)) for stage, paths in written.items() for path in paths]
        for (stage, one), (other, another) in permutations(places, 2):
            assert not one.is_relative_to(another), f"{kind}.{name}: {stage} and {other}"


# Which stages run for each name of a kind; a student is called after its corpus.
BY_NAME = {
    kind: [name for name, stage in DVC["stages"].items() if stage.get("foreach") in sections]
    for kind, sections in {
        "distillations": ["${distillations}"],
        "corpora": ["${corpora}", "${students}"],
        "models": ["${models}"],
    }.items()
}


def test_the_file_is_what_the_stages_declare() -> None:
    check_dvc_yaml(PROJECT / "dvc.yaml")


def test_a_hand_edited_file_is_refused_with_its_line(tmp_path: Path) -> None:
    text = (PROJECT / "dvc.yaml").read_text(encoding="utf-8")
    edited = tmp_path / "dvc.yaml"
    edited.write_text(text.replace("params: [ingest, ", "params: ["), encoding="utf-8")

    number = next(at for at, line in enumerate(text.splitlines(), 1) if "params: [ingest" in line)
    with pytest.raises(DeclarationError, match=rf"dvc\.yaml:{number}: the stages declare .*ingest"):
        check_dvc_yaml(edited)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_own_code_by_its_key(name: str) -> None:
    params = STAGES[name].get("params", [])

    assert name == "code" or {"code.yaml": [name]} in params


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_a_module_and_a_command_of_its_name(name: str) -> None:
    assert (PROJECT / "pipeline" / "stages" / f"{name}.py").is_file()
    assert STAGES[name]["cmd"].split()[:4] == ["python", "-m", "pipeline", name]
    assert read_stage(name).name == name


@pytest.mark.parametrize("name", STAGES)
def test_the_flags_of_a_command_are_those_that_it_takes(name: str) -> None:
    flags = re.findall(r"--\S+", STAGES[name]["cmd"])

    assert {flag for option in stage_command(name).params for flag in option.opts} >= set(flags)


@pytest.mark.parametrize("name", STAGES)
def test_the_params_of_a_stage_are_sections_of_params_yaml(name: str) -> None:
    keys = [key for key in STAGES[name].get("params", []) if isinstance(key, str)]
    named = {key.split(".")[0] for key in keys}

    assert named <= set(Params.model_fields)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_lists_its_own_section(name: str) -> None:
    if name in Params.model_fields and name != "code":
        assert name in STAGES[name]["params"]


@pytest.mark.parametrize("name", STAGES)
def test_every_path_of_a_command_is_a_dependency_or_an_output(name: str) -> None:
    stage = STAGES[name]
    given = re.findall(
        r"--[a-z_-]+ '?((?:datasets|reports|annotations|pipeline|code)[^\s']*)", stage["cmd"]
    )
    outs = [next(iter(one)) for key in ("outs", "metrics", "plots") for one in stage.get(key, [])]
    known = [*stage.get("deps", []), *outs]

    assert given
    assert [
        one for one in given if not any(k == one or k.startswith(f"{one}/") for k in known)
    ] == []


@pytest.mark.parametrize("name", STAGES)
def test_what_a_command_takes_from_params_is_one_word_of_the_shell(name: str) -> None:
    command = re.sub(r"\$\{[^}]*\}", '$(touch pwned; echo) ;"`x`', STAGES[name]["cmd"])

    plain = re.sub(r"'[^']*'", "", command)
    assert "$" not in plain
    assert len(shlex.split(command)) == len(shlex.split(STAGES[name]["cmd"]))


def test_a_hostile_name_in_params_reaches_no_shell_unquoted(tmp_path: Path) -> None:
    params = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    name = '$(touch pwned);`touch pwned`" && touch pwned #'
    params["corpora"] = {name: {"method": "direct", "responses": name, "teachers": ["listener_b"]}}
    params["students"], params["models"] = [name], {name: {"student": f"{name}/sft"}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")

    stages = DataResolver(Repo.init(str(tmp_path), no_scm=True), str(tmp_path), DVC).resolve()
    resolved = stages["stages"]

    hostile = {key: one["cmd"] for key, one in resolved.items() if name in key}
    assert {key.split("@")[0] for key in hostile} >= {"build_sft", "train_dpo", "generate"}
    for command in hostile.values():
        assert shlex.split(command)[4] == name
        assert not re.search(r"[$`;&]", re.sub(r"'[^']*'", "", command))


def test_names_are_checked_before_any_stage_gets_one_as_a_word() -> None:
    """The first stage watches what fills a command, and the values it is given were checked."""
    families = [stage["foreach"] for stage in DVC["stages"].values() if "foreach" in stage]
    filled = {each[2:-1] for each in families if isinstance(each, str)}
    for stage in STAGES.values():
        names = re.findall(r"\$\{([^}]*)\}", stage["cmd"])
        filled |= {name for name in names if not re.fullmatch(r"key|item(\..*)?", name)}

    assert filled == set(STAGES["code"]["params"])
    assert any(argument.key == "" for argument in read_stage("code").arguments)


def test_a_build_without_students_misses_no_folder() -> None:
    """What only families write may be missing; a folder that a stage reads must be there."""
    outs = [
        (name, next(iter(out))) for name, stage in STAGES.items() for out in stage.get("outs", [])
    ]
    of_students = {
        name for name, stage in DVC["stages"].items() if stage.get("foreach") == "${students}"
    }
    for dep in STAGES["report"]["deps"]:
        makers = {name for name, out in outs if out.startswith(f"{dep}/")}
        assert not makers or makers - of_students, f"{dep} is written for students alone"


@pytest.mark.parametrize("name", STAGES)
def test_outputs_of_the_last_good_run_persist(name: str) -> None:
    stage = STAGES[name]
    outs = [one for key in ("outs", "metrics") for one in stage.get(key, [])]

    assert all(next(iter(one.values()))["persist"] for one in outs)


def test_every_corpus_of_params_yaml_is_of_responses_that_a_stage_writes() -> None:
    params = load_params(PROJECT / "params.yaml")
    outs = {next(iter(one)) for stage in STAGES.values() for one in stage.get("outs", [])}
    written = {one.replace("${key}", key) for one in outs for key in params.distillations}

    for corpus in params.corpora.values():
        assert f"datasets/responses/{corpus.responses}.parquet" in written


def test_compiled_python_does_not_make_a_stage_look_changed() -> None:
    ignored = (PROJECT / ".dvcignore").read_text(encoding="utf-8").split()

    assert {"__pycache__/", "*.py[co]"} <= set(ignored)


def test_the_datasets_folder_holds_no_python() -> None:
    assert list((PROJECT / "datasets").rglob("*.py")) == []


def test_dvc_and_we_read_the_waiver_that_the_docs_show(tmp_path: Path) -> None:
    shown = (PROJECT / "docs" / "audit.md").read_text(encoding="utf-8")
    example = yaml.safe_load(shown.split("```yaml\n")[1].split("```")[0])
    params = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    params["audit"] |= example["audit"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")

    resolver = DataResolver(Repo.init(str(tmp_path), no_scm=True), str(tmp_path), DVC)

    assert "audit" in resolver.resolve()["stages"]
    (waiver,) = load_params(tmp_path / "params.yaml").audit.waivers
    assert waiver.author == example["audit"]["waivers"][0]["author"]


def test_a_bare_date_which_dvc_cannot_read_is_named(tmp_path: Path) -> None:
    text = (PROJECT / "params.yaml").read_text(encoding="utf-8")
    waiver = "{detector: refusals, reason: known, author: lead, expires: 2030-01-31}"
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("waivers: []", f"waivers: [{waiver}]"), encoding="utf-8")

    with pytest.raises(ParamsError, match=r'expires: write it in quotes, "2030-01-31"'):
        load_params(path)
