"""The chain from any row back to the raw record, with each decision on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.records import (
    Exchange,
    FinalLabel,
    PreferencePair,
    Rejection,
    Response,
    SFTExample,
)
from pipeline.reporting.explain import UnknownRowError, explain
from pipeline.storage import read_json, read_table, write_table

ALL = "direct-all_together.parquet"


def first_pair(build: Path) -> PreferencePair:
    return next(read_table(build / "datasets/preferences/strict" / ALL, PreferencePair))


def test_a_pair_leads_to_its_exchange_and_both_responses(sample_build: Path) -> None:
    pair = first_pair(sample_build)

    step = explain(pair.id, sample_build)

    assert [one.id for one in step.parents] == [pair.exchange_id, pair.chosen_id, pair.rejected_id]
    assert step.facts["licence"] == "CC0-1.0"
    assert step.facts["prompt_id"] == pair.lineage.prompt_id


def test_every_table_that_holds_the_row_is_named(sample_build: Path) -> None:
    step = explain(first_pair(sample_build).id, sample_build)

    assert {Path(one).parent.name for one in step.found_in} == {"strict", "authors"}


def test_an_exchange_leads_to_the_row_and_the_hash_of_the_raw_file(sample_build: Path) -> None:
    exchange = next(read_table(sample_build / "datasets/exchanges.parquet", Exchange))
    sha256 = read_json(sample_build / "reports/metrics/ingest.json")["sha256"]

    step = explain(exchange.id, sample_build)

    assert step.decisions[0] == f"read from row 1 of exchanges.jsonl, sha256 {sha256}"
    assert step.decisions[1].startswith("split ")
    assert "by rule grouped_random" in step.decisions[1]


def test_the_decisions_on_a_pair_say_how_its_sides_were_rated(sample_build: Path) -> None:
    pair = first_pair(sample_build)

    step = explain(pair.id, sample_build)

    assert f"chosen is rated 3, rejected {pair.rejected_rating}" in step.decisions
    assert "rated 3 of 3" in step.parents[1].decisions


def test_an_example_leads_back_as_well(sample_build: Path) -> None:
    example = next(read_table(sample_build / "datasets/sft" / ALL, SFTExample))

    step = explain(example.id, sample_build)

    assert example.exchange_id in [one.id for one in step.parents]


def test_a_dropped_candidate_says_why(sample_build: Path) -> None:
    path = sample_build / "datasets/rejections/preferences" / ALL
    dropped = next(one for one in read_table(path, Rejection) if one.reason == "tie")

    step = explain(dropped.record_id, sample_build)

    assert step.facts == {"kept": False}
    assert any("dropped, tie" in one for one in step.decisions)
    assert {one.id for one in step.parents} == set(dropped.parents)


def test_a_response_says_where_it_was_not_taken(sample_build: Path) -> None:
    path = sample_build / "datasets/rejections/preferences" / ALL
    dropped = next(one for one in read_table(path, Rejection) if one.reason == "tie")
    response = dropped.parents[1]

    step = explain(response, sample_build)

    assert any("not taken, tie" in one and dropped.record_id in one for one in step.decisions)


def test_every_response_can_be_explained(sample_build: Path) -> None:
    responses = read_table(sample_build / "datasets/responses/source.parquet", Response)

    step = explain(next(responses).id, sample_build)

    assert json.dumps(step.as_dict())


def test_an_unknown_row_is_an_error(sample_build: Path) -> None:
    with pytest.raises(UnknownRowError, match=r"row sft-0: in none of the \d+ tables"):
        explain("sft-0", sample_build)


def test_an_unknown_row_says_what_was_searched(sample_build: Path) -> None:
    with pytest.raises(UnknownRowError, match=r"datasets/sft; [\d,]+ rejections"):
        explain("sft-0", sample_build)


@pytest.fixture
def labelled(sample_build: Path, tmp_path: Path) -> tuple[Path, str]:
    """Return a copy of the build with labels, and the id of the response that has them."""
    shutil.copytree(sample_build, tmp_path / "build")
    response = next(read_table(sample_build / "datasets/responses/source.parquet", Response))
    shared = {
        "item_id": response.id,
        "method": "majority",
        "annotators": ("ann", "ben", "cleo"),
        "agreeing": 2,
        "guidelines": "1",
        "round": 1,
    }
    labels = [
        FinalLabel(question="empathy", values=("3",), **shared),
        FinalLabel(question="codes", sentence=1, values=("Affirm", "Support"), **shared),
    ]
    write_table(tmp_path / "build/datasets/annotations/labels.parquet", FinalLabel, labels)
    return tmp_path / "build", response.id


def test_a_response_says_how_it_was_labelled_and_not_by_whom(labelled: tuple[Path, str]) -> None:
    folder, response = labelled

    step = explain(response, folder)

    assert "labelled empathy: 3 (majority, 2 of 3, round 1)" in step.decisions
    assert (
        "labelled codes of sentence 1: Affirm, Support (majority, 2 of 3, round 1)"
        in step.decisions
    )
    assert "cleo" not in json.dumps(step.as_dict())


def test_a_sentence_is_explained_as_its_response(labelled: tuple[Path, str]) -> None:
    folder, response = labelled

    assert explain(f"{response}#1", folder) == explain(response, folder)


def test_a_generation_leads_to_its_exchange(sample_build: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_build, tmp_path / "build")
    exchange = next(read_table(sample_build / "datasets/exchanges.parquet", Exchange))
    lineage = exchange.lineage.model_copy(
        update={"operation": "generate", "parents": (exchange.id,), "model": "student"}
    )
    written = Response(
        id="response-generated",
        exchange_id=exchange.id,
        responder="student",
        text="I hear you.",
        lineage=lineage,
    )
    path = tmp_path / "build/datasets/generations/student.parquet"
    write_table(path, Response, [written])

    step = explain("response-generated", tmp_path / "build")

    assert step.found_in == ("datasets/generations/student.parquet",)
    assert [one.id for one in step.parents] == [exchange.id]


def test_a_parent_that_is_not_in_the_build_is_said_to_be_missing(
    sample_build: Path, tmp_path: Path
) -> None:
    shutil.copytree(sample_build, tmp_path / "build")
    (tmp_path / "build/datasets/exchanges.parquet").unlink()

    step = explain(first_pair(sample_build).id, tmp_path / "build")

    assert step.parents[0].decisions == ("its table is not in this build",)


def test_a_folder_without_a_build_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"no such folder\nRun `make repro` first"):
        explain("sft-0", tmp_path)
