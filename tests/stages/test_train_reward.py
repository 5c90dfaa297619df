"""Stage `train_reward`: what judges on the test dialogues has learned from none of them."""

from __future__ import annotations

from pathlib import Path

from pipeline.records import FinalLabel, Response, SplitAssignment
from pipeline.stages import train_reward
from pipeline.stages.train_reward import TrainRewardParams
from pipeline.storage import file_sha256, read_table, write_table


def trained(datasets: Path, responses: Path, folder: Path) -> str:
    """Return the hash of the numbers of a reward model of `responses`."""
    (folder / "preferences").mkdir(parents=True)
    write_table(folder / "labels.parquet", FinalLabel, [])
    train_reward.run(
        TrainRewardParams(model="linear", settings={"l2": 0.01}),
        seed=1,
        exchanges=datasets / "exchanges.parquet",
        responses=responses,
        splits=datasets / "splits.parquet",
        preferences=folder / "preferences",
        labels=folder / "labels.parquet",
        out=folder / "reward",
        metrics=folder / "reward.json",
        embeddings=folder.parent / "embeddings.sqlite",
    )
    return file_sha256(folder / "reward" / "reward.safetensors")


def test_ratings_and_words_of_test_dialogues_do_not_reach_the_model(
    sample_build: Path, tmp_path: Path
) -> None:
    datasets = sample_build / "datasets"
    source = datasets / "responses" / "source.parquet"
    splits = read_table(datasets / "splits.parquet", SplitAssignment)
    held_out = {one.exchange_id for one in splits if one.split == "test"}
    other = [
        one.model_copy(update={"text": f"Something else, {at}.", "rating": 1 + at % 3})
        if one.exchange_id in held_out
        else one
        for at, one in enumerate(read_table(source, Response))
    ]
    write_table(tmp_path / "other.parquet", Response, other)

    assert trained(datasets, source, tmp_path / "a") == trained(
        datasets, tmp_path / "other.parquet", tmp_path / "b"
    )
