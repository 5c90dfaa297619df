from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.audit.finding import Finding
from pipeline.errors import GateFailedError
from pipeline.prompts import prompt_texts
from pipeline.records import PreferencePair, SFTExample
from pipeline.stages import audit
from pipeline.stages.audit import AuditParams
from pipeline.storage import read_json, read_table, write_table


def run(build: Path, out: Path, **params: object) -> dict[str, dict[str, int]]:
    datasets = build / "datasets"
    audit.run(
        AuditParams.model_validate(params),
        reference_responder="listener_a",
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses",
        splits=datasets / "splits.parquet",
        sft=out / "sft" if (out / "sft").is_dir() else datasets / "sft",
        preferences=out / "preferences"
        if (out / "preferences").is_dir()
        else datasets / "preferences",
        out=out / "audit",
        metrics=out / "audit.json",
        embeddings=out / "embeddings.sqlite",
        today=date(2026, 11, 1),
    )
    counts: dict[str, dict[str, int]] = read_json(out / "audit.json")
    return counts


def test_the_source_and_every_corpus_are_audited(sample_build: Path, tmp_path: Path) -> None:
    counts = run(sample_build, tmp_path)

    assert {"source", "sft-direct-listener_b", "preferences-strict-direct-all_together"} <= set(
        counts
    )
    assert all(one["critical"] == 0 for one in counts.values())


def test_ties_and_inversions_are_information_in_authors_corpora(
    sample_build: Path, tmp_path: Path
) -> None:
    run(sample_build, tmp_path)

    folder = tmp_path / "audit" / "preferences-authors-direct-all_together"
    found = [
        one
        for one in read_table(folder / "findings.parquet", Finding)
        if one.detector in ("pair_ties", "pair_inversions")
    ]
    assert {one.severity for one in found} == {"info"}


def with_a_tie(build: Path, out: Path) -> str:
    source = build / "datasets" / "preferences" / "strict" / "direct-listener_b.parquet"
    first, *rest = read_table(source, PreferencePair)
    tie = first.model_copy(update={"chosen_rating": 2, "rejected_rating": 2})
    write_table(out / "preferences" / "strict" / source.name, PreferencePair, [tie, *rest])
    return tie.id


def test_a_tie_in_a_strict_corpus_fails_the_stage_after_all_is_written(
    sample_build: Path, tmp_path: Path
) -> None:
    tie = with_a_tie(sample_build, tmp_path)

    with pytest.raises(GateFailedError, match=f"1 critical of pair_ties, first {tie}"):
        run(sample_build, tmp_path)
    assert (tmp_path / "audit" / "source" / "summary.json").is_file()


def test_a_waiver_lets_it_pass_for_a_time(sample_build: Path, tmp_path: Path) -> None:
    tie = with_a_tie(sample_build, tmp_path)
    waiver = {
        "detector": "pair_ties",
        "row_id": tie,
        "reason": "rated again next week",
        "author": "annotation lead",
        "expires": "2026-12-01",
    }

    counts = run(sample_build, tmp_path, waivers=[waiver])

    assert counts["preferences-strict-direct-listener_b"]["waived"] == 1


def test_a_reply_that_repeats_our_own_prompt_is_found(sample_build: Path, tmp_path: Path) -> None:
    source = sample_build / "datasets" / "sft" / "direct-listener_b.parquet"
    first, *rest = read_table(source, SFTExample)
    asked, reply = first.messages[-2:]
    instruction = max(prompt_texts(), key=len)
    echo = first.model_copy(
        update={"messages": (asked, reply.model_copy(update={"content": instruction}))}
    )
    write_table(tmp_path / "sft" / source.name, SFTExample, [echo, *rest])

    run(sample_build, tmp_path)

    folder = tmp_path / "audit" / "sft-direct-listener_b"
    found = [
        one
        for one in read_table(folder / "findings.parquet", Finding)
        if one.detector == "prompt_echo"
    ]
    assert {one.row_ids[0] for one in found} == {first.id}
    assert any("our own prompt" in one.explanation for one in found)


@pytest.mark.slow
def test_replies_that_mean_the_same_are_found_by_minilms_vectors(
    sample_build: Path, tmp_path: Path
) -> None:
    run(sample_build, tmp_path, embeddings="minilm")

    summary = read_json(tmp_path / "audit" / "source" / "summary.json")
    assert summary["detectors"]["semantic_duplicates"]["figures"]["vectors"] == "handed"
