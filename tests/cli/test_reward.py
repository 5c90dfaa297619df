from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import reward as command
from pipeline.errors import MissingFileError
from pipeline.features.embeddings import CACHE, CachedEmbedder, MiniLm
from pipeline.params import load_params
from pipeline.records import FinalLabel, PreferencePair, Rejection, Response, Suggestion
from pipeline.reward_model.encoder import FrozenEncoder
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import RewardError
from pipeline.stages import train_reward
from pipeline.storage import read_json, read_json_lines, read_table, write_table
from pipeline.workspace import PROJECT
from tests.cli.command import Cli

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(sample_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a reward model of the sample."""
    out, datasets = tmp_path_factory.mktemp("reward"), sample_build / "datasets"
    write_table(out / "labels.parquet", FinalLabel, [])
    params = load_params(PROJECT / "params.yaml")
    train_reward.run(
        params.train_reward.model_copy(update={"model": "prototype"}),
        seed=params.seed,
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses" / "source.parquet",
        splits=datasets / "splits.parquet",
        preferences=datasets / "preferences" / "strict",
        labels=out / "labels.parquet",
        out=out / "model",
        metrics=out / "metrics.json",
        embeddings=PROJECT / CACHE,
    )
    return out


@pytest.fixture(autouse=True)
def _kept_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read embeddings where the project keeps them."""

    def loaded(folder: Path) -> RewardModel:
        return RewardModel.load(folder, FrozenEncoder(CachedEmbedder(MiniLm(), PROJECT / CACHE)))

    monkeypatch.setattr(command, "_loaded", loaded)


def test_the_stage_says_how_the_model_does_beside_the_linear_head(trained: Path) -> None:
    figures = read_json(trained / "metrics.json")

    assert figures["model"] == "prototype"
    assert figures["train_pairs"] + figures["test_pairs"] == 184
    assert {"accuracy", "calibration_error"} == set(figures["linear"]) == set(figures["measures"])


def test_a_row_is_explained_by_real_examples(
    trained: Path, sample_build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    datasets = sample_build / "datasets"
    responses = datasets / "responses" / "source.parquet"
    known = {one.id: one.text for one in read_table(responses, Response)}
    row = next(iter(known))
    paths = {
        "model": trained / "model",
        "exchanges": datasets / "exchanges.parquet",
        "responses": responses,
    }

    command.explain(row, **paths, nearest=2, as_json=True)
    found = json.loads(capsys.readouterr().out)
    command.explain(row, **paths, nearest=2, as_json=False)
    shown = capsys.readouterr().out

    assert found["response"] == known[row]
    assert len(found["nearest"]) == 2
    assert all(
        known[one["id"]] == one["response"] for near in found["nearest"] for one in near["examples"]
    )
    assert f"reward {found['reward']:+.3f}" in shown
    assert found["nearest"][0]["examples"][0]["id"] in shown


def test_an_unknown_row_is_an_error(trained: Path, sample_build: Path) -> None:
    with pytest.raises(RewardError, match="response-none: not in"):
        command.explain(
            "response-none",
            model=trained / "model",
            responses=sample_build / "datasets" / "responses",
        )


def test_ranking_keeps_one_response_to_each_exchange(
    trained: Path, sample_build: Path, tmp_path: Path
) -> None:
    datasets = sample_build / "datasets"
    responses = datasets / "responses" / "source.parquet"

    command.rank(
        [responses],
        out=tmp_path / "best.parquet",
        rewards=tmp_path / "rewards.jsonl",
        model=trained / "model",
        exchanges=datasets / "exchanges.parquet",
    )

    kept = list(read_table(tmp_path / "best.parquet", Response))
    every = list(read_table(responses, Response))
    lines = (tmp_path / "rewards.jsonl").read_text(encoding="utf-8").splitlines()
    assert {one.exchange_id for one in kept} == {one.exchange_id for one in every}
    assert len(kept) == len({one.exchange_id for one in kept})
    assert len(lines) == len(every)


def test_filtering_parts_the_pairs_of_a_file(
    trained: Path, sample_build: Path, tmp_path: Path
) -> None:
    datasets = sample_build / "datasets"
    pairs = datasets / "preferences" / "strict" / "direct-all_together.parquet"

    command.filter_pairs(
        pairs,
        out=tmp_path / "kept.parquet",
        rejections=tmp_path / "dropped.parquet",
        least=0.5,
        weights=tmp_path / "weights.jsonl",
        model=trained / "model",
        exchanges=datasets / "exchanges.parquet",
    )

    kept = {one.id for one in read_table(tmp_path / "kept.parquet", PreferencePair)}
    dropped = {one.record_id for one in read_table(tmp_path / "dropped.parquet", Rejection)}
    margins = [
        json.loads(line)
        for line in (tmp_path / "weights.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert kept | dropped == {one.id for one in read_table(pairs, PreferencePair)}
    assert kept == {one["id"] for one in margins if one["margin"] >= 0.5}


def test_a_file_of_pairs_is_not_written_over(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(RewardError, match="is the file that is read"):
        command.filter_pairs(
            tmp_path / "pairs.parquet",
            out=tmp_path / "pairs.parquet",
            rejections=tmp_path / "dropped.parquet",
            model=trained / "model",
        )


def test_suggestions_are_written_for_select_annotations(
    trained: Path, sample_build: Path, tmp_path: Path
) -> None:
    datasets = sample_build / "datasets"

    command.suggest(
        [datasets / "responses" / "source.parquet"],
        out=tmp_path / "scores.jsonl",
        model=trained / "model",
        exchanges=datasets / "exchanges.parquet",
    )

    found = list(read_json_lines(tmp_path / "scores.jsonl", Suggestion))
    assert len(found) == 288
    assert {one.value for one in found} == {1, 2, 3}


def test_without_a_model_the_next_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="dvc repro train_reward"):
        command.explain("a response", model=tmp_path)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (("rank", "a.parquet", "--out", "x", "--rewards", "./x"), "--out and --rewards"),
        (("filter", "a.parquet", "--out", "x", "--rejections", "x"), "--out and --rejections"),
        (
            ("filter", "a.parquet", "--out", "x", "--rejections", "y", "--weights", "y"),
            "--rejections and --weights",
        ),
    ],
)
def test_two_outputs_under_one_name_are_refused_before_anything_is_read(
    project: Path, cli: Cli, command: tuple[str, ...], options: str
) -> None:
    code, _, err = cli("reward", *command)

    assert code == 2
    assert f"{options} name this one path\nGive each a path of its own" in err
    assert not (project / "x").exists()
