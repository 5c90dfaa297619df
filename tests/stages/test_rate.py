from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.llm import Budget, LlmRole
from pipeline.params import load_params
from pipeline.records import ModelRating, Rejection
from pipeline.stages import rate
from pipeline.storage import read_json, read_table
from pipeline.workspace import PROJECT
from tests.mock_endpoint import Behaviour, running
from tests.teachers import role_at

ASKED = 12


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLERY_HOME", str(tmp_path / "home"))


def rated(
    build: Path, folder: Path, rater: LlmRole | None, **changes: Any
) -> tuple[dict[str, Any], list[ModelRating], list[Rejection]]:
    params = load_params(PROJECT / "params.yaml").rate.model_copy(update=changes)
    rate.run(
        params,
        rater,
        Budget(),
        exchanges=build / "datasets" / "exchanges.parquet",
        responses=build / "datasets" / "responses" / "source.parquet",
        out=folder / "ratings.parquet",
        rejections=folder / "rejections.parquet",
        metrics=folder / "metrics.json",
    )
    return (
        read_json(folder / "metrics.json"),
        list(read_table(folder / "ratings.parquet", ModelRating)),
        list(read_table(folder / "rejections.parquet", Rejection)),
    )


def recorded() -> LlmRole:
    role = load_params(PROJECT / "params.yaml").llm.rater
    assert role is not None
    assert role.cassette is not None
    return role.model_copy(update={"cassette": PROJECT / role.cassette})


def test_the_recording_of_the_sample_answers_every_question(
    sample_build: Path, tmp_path: Path
) -> None:
    figures, rows, _ = rated(sample_build, tmp_path, recorded())

    assert {name: one["asked"] for name, one in figures["raters"].items()} == dict.fromkeys(
        ("naive", "dimensions", "subfactors_v1", "subfactors_v2"), ASKED
    )
    assert not any("not_recorded" in one["rejected"] for one in figures["raters"].values())
    assert rows


def test_what_the_embedded_model_says_is_kept_and_marked(
    sample_build: Path, tmp_path: Path
) -> None:
    figures, rows, _ = rated(sample_build, tmp_path, recorded())

    assert all("mean nothing" in str(row.excluded) for row in rows)
    assert all("mean nothing" in one["excluded"] for one in figures["raters"].values())


def test_responses_that_were_never_recorded_are_rejected_with_the_reason(
    sample_build: Path, tmp_path: Path
) -> None:
    figures, _, rejections = rated(sample_build, tmp_path, recorded(), limit=ASKED + 3)

    assert Counter(one.reason for one in rejections)["not_recorded"] == 3 * 4
    assert figures["raters"]["naive"]["rejected"]["not_recorded"] == 3


def test_without_a_rater_the_table_is_empty_and_says_so(sample_build: Path, tmp_path: Path) -> None:
    figures, rows, _ = rated(sample_build, tmp_path, None)

    assert figures["model"] is None
    assert figures["raters"]["naive"]["excluded"] == "it rated no response"
    assert rows == []


def test_a_rater_that_tells_responses_apart_may_be_used(sample_build: Path, tmp_path: Path) -> None:
    replies = [json.dumps({"rating": number % 3 + 1}) for number in range(ASKED)]
    with running(Behaviour(replies=replies)) as endpoint:
        rater = role_at(endpoint.base_url, pace={"concurrency": 1})
        figures, rows, rejections = rated(sample_build, tmp_path, rater, raters=("naive",))

    assert figures["raters"]["naive"]["excluded"] is None
    assert sorted(row.value for row in rows) == [1] * 4 + [2] * 4 + [3] * 4
    assert rejections == []


def test_an_answer_that_is_no_rating_is_a_rejection_and_no_low_rating(
    sample_build: Path, tmp_path: Path
) -> None:
    with running(Behaviour(replies=["no rating", "none either"])) as endpoint:
        figures, rows, rejections = rated(
            sample_build, tmp_path, role_at(endpoint.base_url), raters=("naive",), limit=1
        )

    assert [one.reason for one in rejections] == ["schema"]
    assert rows == []
    assert figures["raters"]["naive"]["excluded"] == "it rated no response"


def test_the_plan_counts_each_question_once_and_asks_nobody(sample_build: Path) -> None:
    params = load_params(PROJECT / "params.yaml").rate

    chat = rate.plan_rating(
        params,
        role_at("http://127.0.0.1:1/v1"),
        exchanges=sample_build / "datasets" / "exchanges.parquet",
        responses=sample_build / "datasets" / "responses" / "source.parquet",
        ledger=None,
    )

    assert chat.calls == 4 * ASKED
    assert chat.tokens_in.high > chat.tokens_in.expected > 0
