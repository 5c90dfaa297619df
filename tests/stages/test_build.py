"""The built corpora of the sample: every row fits its parents, every candidate has an outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.params import ReferenceCorpus, RespondersParams
from pipeline.records import (
    Exchange,
    PreferencePair,
    Rejection,
    Response,
    SFTExample,
    SplitAssignment,
)
from pipeline.stages import build_preferences, build_sft
from pipeline.storage import count_rows, read_json, read_table
from tests.builds import build, params_for, write_csv
from tests.sources.raw import study_row

CORPORA = ("direct-listener_b", "direct-listener_c", "direct-all_together")


@pytest.fixture(scope="module")
def counts(sample_build: Path) -> dict[str, Any]:
    return read_json(sample_build / "reports" / "metrics" / "corpora.json")["corpora"]


def train_ids(folder: Path) -> set[str]:
    splits = read_table(folder / "datasets" / "splits.parquet", SplitAssignment)
    return {one.exchange_id for one in splits if one.split == "train"}


@pytest.mark.parametrize("corpus", CORPORA)
def test_only_train_exchanges_are_trained_on(sample_build: Path, corpus: str) -> None:
    datasets = sample_build / "datasets"
    rows = [
        *read_table(datasets / "sft" / f"{corpus}.parquet", SFTExample),
        *read_table(datasets / "preferences" / "authors" / f"{corpus}.parquet", PreferencePair),
    ]

    assert {one.exchange_id for one in rows} <= train_ids(sample_build)


@pytest.mark.parametrize("corpus", CORPORA)
def test_ids_are_unique_in_a_table(sample_build: Path, corpus: str) -> None:
    datasets = sample_build / "datasets"
    for path, kind in (
        (datasets / "sft" / f"{corpus}.parquet", SFTExample),
        (datasets / "preferences" / "strict" / f"{corpus}.parquet", PreferencePair),
        (datasets / "rejections" / "sft" / f"{corpus}.parquet", Rejection),
    ):
        ids = [getattr(one, "id", None) or one.record_id for one in read_table(path, kind)]
        assert len(ids) == len(set(ids)) > 0


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_parent_is_a_row_of_an_earlier_table(sample_build: Path, corpus: str) -> None:
    datasets = sample_build / "datasets"
    known = {one.id for one in read_table(datasets / "exchanges.parquet", Exchange)}
    responses = datasets / "responses" / "source.parquet"
    known |= {one.id for one in read_table(responses, Response)}
    rows = read_table(datasets / "sft" / f"{corpus}.parquet", SFTExample)

    assert {parent for one in rows for parent in one.lineage.parents} <= known


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_counts_are_those_of_the_tables(
    sample_build: Path, counts: dict[str, Any], corpus: str
) -> None:
    datasets = sample_build / "datasets"

    assert counts[corpus]["strict"]["sft_examples"] == count_rows(
        datasets / "sft" / f"{corpus}.parquet"
    )
    for name in ("strict", "authors"):
        assert counts[corpus][name]["pairs"] == count_rows(
            datasets / "preferences" / name / f"{corpus}.parquet"
        )


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("pair_filter", ["strict", "authors"])
def test_every_candidate_is_a_row_or_a_rejection(
    sample_build: Path, counts: dict[str, Any], corpus: str, pair_filter: str
) -> None:
    of = counts[corpus][pair_filter]
    candidates = len(train_ids(sample_build)) * (2 if corpus == "direct-all_together" else 1)

    assert of["pairs"] + sum(of["rejections"].values()) == candidates
    assert of["sft_source_rows"] + sum(of["sft_rejections"].values()) == candidates


def test_the_authors_filter_keeps_what_strict_rejects_as_tied_or_inverted(
    counts: dict[str, Any],
) -> None:
    of = counts["direct-all_together"]

    assert of["strict"]["inverted"] == of["strict"]["tied"] == 0
    assert of["authors"]["inverted"] == of["strict"]["rejections"]["inverted"] > 0
    assert (
        of["authors"]["pairs"] - of["authors"]["inverted"] - of["authors"]["tied"]
        == (of["strict"]["pairs"])
    )


def test_a_reference_corpus_has_examples_and_no_pairs(sample_build: Path, tmp_path: Path) -> None:
    datasets = sample_build / "datasets"
    corpus = ReferenceCorpus(method="reference")
    responders = RespondersParams(reference_responder="listener_a")
    prompt = PromptParams(mean_words=28, max_words=97)
    tables = {
        "exchanges": datasets / "exchanges.parquet",
        "responses": datasets / "responses" / "source.parquet",
        "splits": datasets / "splits.parquet",
    }
    names = ("sft", "dropped", "strict", "authors", "unpaired")
    sft, dropped, strict, authors, unpaired = (tmp_path / name for name in names)

    build_sft.run(corpus, responders, prompt, **tables, seed=1, out=sft, rejections=dropped)
    build_preferences.run(
        corpus,
        responders,
        prompt,
        **tables,
        seed=1,
        strict=strict,
        authors=authors,
        rejections=unpaired,
    )

    assert count_rows(sft) + count_rows(dropped) == len(train_ids(sample_build))
    assert count_rows(sft) > 0
    assert count_rows(strict) == count_rows(authors) == count_rows(unpaired) == 0


def test_text_from_the_data_reaches_the_training_rows_as_it_is(tmp_path: Path) -> None:
    odd = "{{ 7 * 7 }} <b>&amp;</b> $(reboot) `ls`"
    rows = [
        study_row(
            n, ratings=[3, 3, 3, 3, 3], speaker_uttr=f"{n} {odd}", response_human=f"{odd} {n}"
        )
        for n in (1, 2)
    ]
    raw = write_csv(tmp_path / "study.csv", rows)

    out = build(params_for("welivita2024", raw, tmp_path / "build"), tmp_path / "build")

    one = next(read_table(out / "datasets" / "sft" / "direct-llama.parquet", SFTExample))
    assert odd in one.messages[0].content
    assert one.messages[1].content == f"{odd} 1"
