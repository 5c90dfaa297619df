"""Stage `evaluate` on the sample, with its rated responders as stand-ins for models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.rounds import round_path, write_round
from pipeline.errors import PipelineError
from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.comparison import ComparisonRow
from pipeline.evaluation.contests import NULLS
from pipeline.features.context import context_tables
from pipeline.features.embeddings import MiniLm
from pipeline.features.table import join
from pipeline.params import Params, load_params
from pipeline.records import (
    Annotation,
    FinalLabel,
    PreferencePair,
    Response,
    SplitAssignment,
    content_id,
)
from pipeline.reporting.comparison import comparison_markdown
from pipeline.scoring.features import combination
from pipeline.scoring.rated import rated_set
from pipeline.scoring.saved import describe, save
from pipeline.scoring.scorer import Scorer
from pipeline.stages import evaluate, merge_annotations, train_reward
from pipeline.stages.featurize import read_pairs
from pipeline.stages.train_reward import TrainRewardParams
from pipeline.storage import read_json, read_json_as, read_table, write_table
from pipeline.workspace import PROJECT
from tests.mock_endpoint import Behaviour, running
from tests.teachers import role_at

STAND_INS = {
    "base": "listener_a",
    "sft-direct-listener_b": "listener_b",
    "dpo-direct-listener_b": "listener_c",
}


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(PROJECT / "params.yaml")


@pytest.fixture(scope="module")
def build(sample_build: Path, params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a scorer of text features and stand-in generations."""
    folder, datasets = tmp_path_factory.mktemp("evaluate"), sample_build / "datasets"
    pairs = read_pairs(datasets / "exchanges.parquet", datasets / "responses" / "source.parquet")
    rated = rated_set(pairs)
    table = combination(join(context_tables(pairs, None), rated.ids.tolist()), "text")
    scorer = Scorer("ordinal", seed=params.seed).fit(table, rated)
    facts = describe(scorer, table, features="text", embedder=MiniLm.name, licence="CC0-1.0")
    save(folder / "scorer", scorer, facts, None)
    splits = read_table(datasets / "splits.parquet", SplitAssignment)
    held_out = {one.exchange_id for one in splits if one.split == "test"}
    for model, responder in STAND_INS.items():
        rows = [
            response.model_copy(
                update={
                    "id": content_id("response", model, response.id),
                    "responder": model,
                    "rating": None,
                }
            )
            for exchange, response in pairs
            if response.responder == responder and exchange.id in held_out
        ]
        write_table(folder / "generations" / f"{model}.parquet", Response, rows)
    write_table(folder / "labels.parquet", FinalLabel, [])
    (folder / "preferences").mkdir()
    train_reward.run(
        TrainRewardParams(model="linear", settings={"l2": 0.01}),
        seed=params.seed,
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses" / "source.parquet",
        splits=datasets / "splits.parquet",
        preferences=folder / "preferences",
        labels=folder / "labels.parquet",
        out=folder / "reward",
        metrics=folder / "reward.json",
        embeddings=folder / "embeddings.sqlite",
    )
    return folder


def run(
    build: Path, sample_build: Path, params: Params, out: Path, **changes: Any
) -> dict[str, Any]:
    datasets = sample_build / "datasets"
    models = [path.stem for path in (build / "generations").glob("*.parquet")]
    return evaluate.run(
        params.evaluate.model_copy(update={"resamples": 200, **changes}),
        params.llm,
        {"direct-listener_b": params.corpora["direct-listener_b"]},
        params.audit,
        models,
        seed=params.seed,
        reference_responder=params.responders.reference_responder,
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses",
        splits=datasets / "splits.parquet",
        generations=build / "generations",
        scorer=build / "scorer",
        reward=build / "reward",
        labels=build / "labels.parquet",
        evaluation=out / "evaluation.json",
        replies=out / "replies.json",
        contests=out / "contests.parquet",
        embeddings=build / "embeddings.sqlite",
    )


@pytest.fixture(scope="module")
def done(
    build: Path, sample_build: Path, params: Params, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("evaluated")
    run(build, sample_build, params, out)
    return out


def over_base(rows: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    """Return the rows of `model` against the base, all lengths together."""
    return [
        row
        for row in rows
        if row["model"] == model and row["opponent"] == "base" and not row["length_matched"]
    ]


def test_the_table_has_students_outsiders_and_nulls_on_both_test_sets(done: Path) -> None:
    rows = read_json(done / "evaluation.json")

    assert {row["test_set"] for row in rows} == {"papers", "random"}
    assert {row["judge"] for row in rows} == {"scorer", "reward"}
    met_base = {row["model"] for row in rows if row["opponent"] == "base"}
    assert met_base == {*STAND_INS, *STAND_INS.values(), *NULLS} - {"base"}


def test_every_row_has_its_interval_around_its_rate(done: Path) -> None:
    rated = [row for row in read_json(done / "evaluation.json") if row["win_rate"] is not None]

    assert rated
    assert all(row["ci"][0] <= row["win_rate"] <= row["ci"][1] for row in rated)


def test_the_page_says_what_each_judge_learned_from_and_how_far_they_agree(done: Path) -> None:
    rows = read_json_as(done / "evaluation.json", list[ComparisonRow])
    page = comparison_markdown(rows, read_json(done / "replies.json"))

    assert "- reward learned from preferences of the train dialogues, which taught the" in page
    assert "| scorer and reward |" in page
    assert "| reward and words |" in page


def test_every_student_is_checked_against_its_teacher(done: Path) -> None:
    checks = read_json(done / "replies.json")["critical_findings_per_100"]

    assert set(checks) == {"sft-direct-listener_b", "dpo-direct-listener_b"}


def test_the_same_input_gives_the_same_bytes(
    done: Path, build: Path, sample_build: Path, params: Params, tmp_path: Path
) -> None:
    run(build, sample_build, params, tmp_path)

    for file in ("evaluation.json", "replies.json"):
        assert (tmp_path / file).read_bytes() == (done / file).read_bytes()


def test_people_judge_by_the_rounds_that_they_finished(
    done: Path, build: Path, sample_build: Path, params: Params, tmp_path: Path
) -> None:
    """Two of three prefer our side of the first pairs; the others are a draft and no verdict."""
    pairs = list(read_table(done / "contests.parquet", PreferencePair))
    write_round(
        round_path(1, tmp_path),
        [
            Annotation(
                item_id=pair.id,
                question="better",
                value=value if number < 5 else None,
                status="submitted" if number < 5 else "draft",
                annotator=who,
                guidelines="g",
                origin="argilla:1",
            )
            for number, pair in enumerate(pairs)
            for who, value in (("a", "chosen"), ("b", "chosen"), ("c", "equal"))
        ],
    )
    merge_annotations.run(
        params.merge_annotations,
        rounds=tmp_path,
        labels=build / "labels.parquet",
        metrics=tmp_path / "annotation.json",
    )

    run(build, sample_build, params, tmp_path, judges=("people",))

    rows = read_json(tmp_path / "evaluation.json")
    judged = [row for row in over_base(rows, "dpo-direct-listener_b") if row["n"]]
    assert {row["judge"] for row in rows} == {"people"}
    assert {row["win_rate"] for row in judged} == {1.0}
    assert max(row["failed_share"] for row in judged) > 0


def test_a_language_model_judges_in_both_orders(
    build: Path,
    sample_build: Path,
    params: Params,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that always prefers the first place has nothing but ties, all of them for the place."""
    monkeypatch.setenv("DISTILLERY_HOME", str(tmp_path))
    with running(Behaviour(replies=['{"better": "first"}'])) as endpoint:
        llm = params.llm.model_copy(update={"judge": role_at(endpoint.base_url)})
        run(
            build,
            sample_build,
            params.model_copy(update={"llm": llm}),
            tmp_path,
            judges=("llm",),
        )

    own = over_base(read_json(tmp_path / "evaluation.json"), "dpo-direct-listener_b")
    assert {(row["judge"], row["win_rate"], row["position_bias"]) for row in own} == {
        ("LLM mock", 0.5, 1.0)
    }


def test_a_judge_that_nobody_named_is_asked_for_by_name(
    build: Path, sample_build: Path, params: Params, tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match=r"llm\.judge is not set"):
        run(build, sample_build, params, tmp_path, judges=("llm",))


def test_without_replies_nothing_is_written(
    build: Path, sample_build: Path, params: Params, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    (empty / "generations").mkdir(parents=True)
    (empty / "scorer").symlink_to(build / "scorer")
    (empty / "reward").symlink_to(build / "reward")

    with pytest.raises(EvaluationError, match="no model's replies"):
        run(empty, sample_build, params, tmp_path)

    assert not (tmp_path / "evaluation.json").exists()
