"""`distillery export` and `distillery diff`: what a person types, and what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard

from pipeline.exports.formats import FORMATS
from pipeline.params import load_params
from pipeline.stages import describe_corpora
from pipeline.workspace import PROJECT
from tests.cli.command import Cli

NAME = "direct-listener_b"


@pytest.fixture(scope="module")
def folder(sample_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the sample's build with all that a card is filled from."""
    copy = tmp_path_factory.mktemp("export") / "build"
    shutil.copytree(sample_build, copy)
    shutil.copy(PROJECT / "dvc.yaml", copy / "dvc.yaml")
    params = load_params(PROJECT / "params.yaml")
    built = json.loads((copy / "reports/metrics/corpora.json").read_text())["corpora"]
    datasets = copy / "datasets"
    describe_corpora.run(
        {name: corpus for name, corpus in params.corpora.items() if name in built},
        params.responders,
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses",
        splits=datasets / "splits.parquet",
        sft=datasets / "sft",
        preferences=datasets / "preferences",
        out=copy / "reports/metrics/descriptions.json",
    )
    return copy


def test_the_export_carries_its_card_and_the_hub_finds_the_files(
    folder: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "out"

    code, said, _ = cli("export", NAME, "--out", out, "--in", folder, "--publish")

    card = DatasetCard.load(out / "README.md")
    assert code == 0
    assert f"{NAME}  sft  train" in said
    assert (card.data.license, card.data.pretty_name) == ("cc0-1.0", f"Empathy Distillery: {NAME}")
    assert {one["config_name"] for one in card.data.configs} == {
        "sft",
        "preferences_strict",
        "preferences_authors",
    }
    for config in card.data.configs:
        for file in config["data_files"]:
            assert list(out.glob(file["path"]))


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name != "hf"])
def test_every_format_carries_the_card(
    folder: Path, tmp_path: Path, cli: Cli, format_name: str
) -> None:
    code, _, _ = cli(
        "export", NAME, "--format", format_name, "--out", tmp_path / "out", "--in", folder
    )

    text = (tmp_path / "out" / "README.md").read_text()
    assert code == 0
    assert DatasetCard(text).data.license == "cc0-1.0"
    assert f"## The files of this export ({format_name})" in text


def test_all_corpora_are_written_in_a_folder_each(folder: Path, tmp_path: Path, cli: Cli) -> None:
    code, said, _ = cli(
        "export", "--all", "--kind", "sft", "--out", tmp_path / "out", "--in", folder, "--json"
    )

    names = {one["corpus"] for one in json.loads(said)}
    assert code == 0
    assert names == {one.name for one in (tmp_path / "out").iterdir()}
    assert NAME in names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name one corpus, or give --all"),
        ((NAME, "--all"), "name one corpus, or give --all"),
        (("direct-listner_b",), "Did you mean direct-listener_b?"),
        ((NAME, "--format", "xlsx"), "format 'xlsx': not known"),
        ((NAME, "--kind", "dpo"), "--kind dpo: not known"),
    ],
)
def test_what_is_not_known_is_said_and_nothing_is_written(
    folder: Path, tmp_path: Path, cli: Cli, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = cli("export", *arguments, "--out", tmp_path / "out", "--in", folder)

    assert (code, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused(folder: Path, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "thesis.txt").touch()

    code, _, err = cli("export", NAME, "--out", tmp_path, "--in", folder)

    assert code == 2
    assert "not empty\nNothing is written over" in err


def test_a_build_without_figures_is_exported_with_a_card_that_says_so(
    sample_build: Path, tmp_path: Path, cli: Cli
) -> None:
    shutil.copytree(sample_build, tmp_path / "build")
    shutil.copy(PROJECT / "dvc.yaml", tmp_path / "build" / "dvc.yaml")

    code, _, err = cli("export", NAME, "--out", tmp_path / "out", "--in", tmp_path / "build")

    assert code == 0, err
    assert "dvc repro describe_corpora" in err
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "license: cc0-1.0" in card
    assert "this card holds no figures" in card
    assert "`dvc repro describe_corpora` measures it" in card


def test_diff_outside_git_is_exit_2(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    code, out, err = cli("diff", "HEAD")

    assert (code, out) == (2, "")
    assert "Run this in a clone of the project" in err
