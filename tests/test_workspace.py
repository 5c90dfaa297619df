"""A DVC workspace of its own: what it holds, and that the working tree stays as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.errors import MissingFileError, ParamsError, PipelineError, TargetError
from pipeline.names import is_slug
from pipeline.params import load_params
from pipeline.sources import SOURCES, get_source
from pipeline.workspace import (
    MARKER,
    PROJECT,
    build_workspace,
    claim_workspace,
    corpora_section,
    student_sections,
    write_params,
)
from tests.builds import SAMPLE


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "table"])
def test_the_params_of_every_source_are_valid(tmp_path: Path, name: str) -> None:
    write_params(tmp_path / "params.yaml", source=get_source(name), path=tmp_path / "raw.csv")

    params = load_params(tmp_path / "params.yaml")

    assert params.ingest.source == name
    assert params.responders.reference_responder == SOURCES[name].reference_responder
    assert params.split.rule == SOURCES[name].split_rule


def test_the_published_corpora_are_one_per_teacher_and_all_together(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    write_params(path, source=get_source("welivita2024"), path=tmp_path / "raw.csv")

    assert list(load_params(path).corpora) == [
        "direct-chatgpt",
        "direct-llama",
        "direct-gemini",
        "direct-mixtral",
        "direct-all_together",
    ]


def test_a_source_without_rated_teachers_has_a_corpus_of_references(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    write_params(path, source=get_source("empathetic_dialogues"), path=tmp_path / "raw.csv")

    assert [one.method for one in load_params(path).corpora.values()] == ["reference"]


def test_no_teacher_is_asked_for_another_source_unless_told_to(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    write_params(path, source=get_source("welivita2024"), path=tmp_path / "raw.csv")

    assert load_params(path).distillations == {}


@pytest.mark.parametrize(
    ("name", "students"),
    [("welivita2024", ("direct-all_together",)), ("empathetic_dialogues", ())],
)
def test_the_student_of_another_source_learns_the_widest_corpus_with_pairs(
    tmp_path: Path, name: str, students: tuple[str, ...]
) -> None:
    write_params(tmp_path / "params.yaml", source=get_source(name), path=tmp_path / "raw.csv")

    assert load_params(tmp_path / "params.yaml").students == students


def test_settings_that_do_not_depend_on_the_source_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    write_params(path, source=get_source("welivita2024"), path=tmp_path / "raw.csv")

    ours, theirs = (yaml.safe_load(one.read_text()) for one in (PROJECT / "params.yaml", path))
    assert (ours["seed"], ours["prompt"]) == (theirs["seed"], theirs["prompt"])


def test_the_waivers_of_a_build_stay_with_its_source(tmp_path: Path) -> None:
    path, raw = tmp_path / "params.yaml", tmp_path / "raw.csv"
    write_params(path, source=get_source("welivita2024"), path=raw)
    waiver = (
        "{detector: cross_split_leakage, reason: a canned reply, author: lead, "
        'expires: "2030-01-31"}'
    )
    path.write_text(path.read_text().replace("waivers: []", f"waivers: [{waiver}]"))

    write_params(path, source=get_source("welivita2024"), path=raw)
    assert [one.reason for one in load_params(path).audit.waivers] == ["a canned reply"]

    write_params(path, source=get_source("welivita2023"), path=raw)
    assert load_params(path).audit.waivers == ()


@pytest.mark.parametrize(
    "text", ["a: [", "[]", "audit: 3", "ingest: {source: welivita2024}\naudit: 3"]
)
def test_params_that_were_broken_by_hand_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)

    with pytest.raises(ParamsError, match=r"params\.yaml"):
        write_params(path, source=get_source("welivita2024"), path=tmp_path / "raw.csv")


def test_params_that_would_not_check_leave_those_of_the_last_build(
    tmp_path: Path,
) -> None:
    path = tmp_path / "params.yaml"
    write_params(path, source=get_source("welivita2024"), path=tmp_path / "raw.csv")
    before = path.read_bytes()
    broken = replace(get_source("welivita2023"), reference_responder=7)  # type: ignore[arg-type]

    with pytest.raises(ParamsError, match=r"reference_responder"):
        write_params(path, source=broken, path=tmp_path / "raw.csv")

    assert path.read_bytes() == before


def test_a_teacher_called_all_together_has_a_corpus_of_its_own() -> None:
    corpora = corpora_section({one: one for one in ("all_together", "b")})

    assert [one["teachers"] for one in corpora.values()] == [
        ["all_together"],
        ["b"],
        ["all_together", "b"],
    ]


def test_the_models_of_a_corpus_with_a_long_name_have_names_too() -> None:
    corpora = corpora_section({"x" * 300: "x" * 300})

    models = student_sections(corpora)["models"]
    assert all(is_slug(name) for name in models)
    assert len(models) == 3


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(PipelineError, match=r"not empty, and not made by this command\nGive --out"):
        build_workspace(tmp_path, source=get_source("sample"), path=SAMPLE)

    assert [one.name for one in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_raw_file_that_is_not_there_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.csv[\s\S]*Give --path a local copy"):
        build_workspace(tmp_path / "out", source=get_source("sample"), path=tmp_path / "gone.csv")

    assert not (tmp_path / "out").exists()


def build_at(out: Path) -> None:
    with claim_workspace(out):
        build_workspace(out, source=get_source("sample"), path=SAMPLE)


def test_what_others_put_into_a_workspace_stays_and_what_is_no_more_goes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_at(out)
    mine = [out / "pipeline" / "notes.txt", out / "reports" / "studies" / "mine" / "run.json"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    gone = out / "pipeline" / "gone.py"
    gone.touch()
    copied = json.loads((out / MARKER).read_text())
    (out / MARKER).write_text(json.dumps([*copied, "pipeline/gone.py", "params.yaml", "../x"]))
    (tmp_path / "x").touch()

    build_at(out)

    assert [path.read_text() for path in mine] == ["mine", "mine"]
    assert not gone.exists()
    assert (tmp_path / "x").exists()
    assert (out / "params.yaml").exists()


def test_the_code_of_an_earlier_version_goes_from_its_workspace(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_at(out)
    (out / MARKER).write_text("")  # as commit 50b66dd left it
    old = out / "pipeline" / "storage.py"
    old.touch()

    build_at(out)

    assert not old.exists()
    assert (out / "pipeline" / "storage" / "__init__.py").exists()


def test_an_empty_marker_gives_nobodys_files_away(tmp_path: Path) -> None:
    thesis = tmp_path / "out" / "pipeline" / "thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("mine")
    (tmp_path / "out" / MARKER).touch()

    build_at(tmp_path / "out")

    assert thesis.read_text() == "mine"


@pytest.mark.parametrize(
    "left",
    [f".{MARKER}.0123456789abcdef.part", f".{MARKER}.writer.part", ".dvc/config", ".dvc/tmp/x"],
)
def test_a_workspace_goes_on_from_what_a_kill_left(tmp_path: Path, left: str) -> None:
    out = tmp_path / "out"
    if left.startswith(".dvc"):
        build_at(out)
        (out / ".dvc" / "config").unlink()
    path = out / left
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()

    build_at(out)

    assert "no_scm = True" in (out / ".dvc" / "config").read_text()
    done = subprocess.run([sys.executable, "-m", "dvc", "status", "split"], cwd=out, check=False)
    assert done.returncode == 0


def test_a_workspace_by_a_link_has_one_builder_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")

    with (
        claim_workspace(tmp_path / "disk"),
        pytest.raises(TargetError, match="has been writing it since"),
    ):
        build_at(tmp_path / "link")
