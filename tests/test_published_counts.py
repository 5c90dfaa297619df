"""The corpora of Xie et al. 2025 (SIGDIAL), rebuilt from the 2,000 rated dialogues."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.records import Response
from pipeline.sources import pseudonyms
from pipeline.sources.welivita import WELIVITA2023
from pipeline.storage import count_rows, read_json, read_table
from pipeline.workspace import PROJECT
from tests.builds import kept, read
from tests.cli.command import distillery

TEACHERS = ("chatgpt", "llama", "gemini", "mixtral")
# Per teacher: SFT source rows, strict pairs, authors' pairs, of these inverted, tied.
PUBLISHED = {
    "chatgpt": (639, 593, 730, 26, 111),
    "llama": (617, 563, 712, 36, 113),
    "gemini": (551, 500, 700, 44, 156),
    "mixtral": (587, 575, 726, 31, 120),
}


@pytest.fixture(scope="module")
def counts(welivita2024_build: Path) -> dict[str, Any]:
    return read_json(welivita2024_build / "reports" / "metrics" / "corpora.json")


def test_the_authors_split_has_1750_and_250_dialogues(counts: dict[str, Any]) -> None:
    assert (counts["splits"]["train"], counts["splits"]["test"]) == (1750, 250)
    assert counts["splits"]["rule"] == "papers"


def test_37_collection_tasks_are_on_both_sides_of_the_authors_split(
    counts: dict[str, Any],
) -> None:
    assert counts["splits"]["leaks"]["collection"] == 37


def test_no_text_is_on_both_sides_word_for_word(counts: dict[str, Any]) -> None:
    assert counts["splits"]["leaks"]["exact_text"] == 0


@pytest.mark.parametrize("teacher", TEACHERS)
def test_the_counts_of_each_teacher_are_the_published_ones(
    counts: dict[str, Any], teacher: str
) -> None:
    by_filter = counts["corpora"][f"direct-{teacher}"]
    strict, authors = by_filter["strict"], by_filter["authors"]

    assert (
        strict["sft_source_rows"],
        strict["pairs"],
        authors["pairs"],
        authors["inverted"],
        authors["tied"],
    ) == PUBLISHED[teacher]


@pytest.mark.parametrize("teacher", TEACHERS)
def test_the_strict_filter_keeps_no_tied_or_inverted_pair(
    counts: dict[str, Any], teacher: str
) -> None:
    strict = counts["corpora"][f"direct-{teacher}"]["strict"]

    assert (strict["tied"], strict["inverted"]) == (0, 0)
    assert strict["rejections"]["inverted"] == PUBLISHED[teacher][3]


def test_all_together_has_4788_examples(counts: dict[str, Any]) -> None:
    both = counts["corpora"]["direct-all_together"]["strict"]

    assert (both["sft_source_rows"], both["sft_examples"]) == (2394, 4788)


def test_all_together_is_the_sum_of_the_teachers(counts: dict[str, Any]) -> None:
    corpora = counts["corpora"]

    for name in ("strict", "authors"):
        assert corpora["direct-all_together"][name]["pairs"] == sum(
            corpora[f"direct-{teacher}"][name]["pairs"] for teacher in TEACHERS
        )


@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize("pair_filter", ["strict", "authors"])
def test_every_candidate_is_a_pair_or_a_rejection(
    counts: dict[str, Any], teacher: str, pair_filter: str
) -> None:
    of = counts["corpora"][f"direct-{teacher}"][pair_filter]

    assert of["pairs"] + sum(of["rejections"].values()) == 1750
    assert of["sft_source_rows"] + sum(of["sft_rejections"].values()) == 1750


def test_nothing_of_it_may_be_published(counts: dict[str, Any]) -> None:
    assert {one["strict"]["may_be_published"] for one in counts["corpora"].values()} == {False}


def test_the_ratings_are_those_of_the_study(welivita2024_build: Path) -> None:
    facts = read_json(welivita2024_build / "reports" / "metrics" / "ingest.json")

    assert facts["ratings"]["human"] == {"1": 342, "2": 672, "3": 986}
    assert facts["ratings"]["gemini_empathy"] == {"1": 248, "2": 671, "3": 1081}
    assert facts["rejections"] == {}


def test_no_rater_id_of_the_raw_file_is_in_any_output(
    welivita2024_build: Path, data_dir: Path
) -> None:
    with (data_dir / "welivita2024" / "dataset.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    raters = {row[name] for row in rows for name in row if name.startswith("annotator_")}
    assert len(raters) > 200

    for path in sorted((welivita2024_build / "datasets").rglob("*.parquet")):
        values = json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False)
        assert raters.isdisjoint(re.findall(r"\w+", values)), path.name


def test_raters_are_pseudonyms_by_the_key_that_everybody_has(
    data_dir: Path, welivita2024_build: Path
) -> None:
    with (data_dir / "welivita2024" / "dataset.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    ids = {row[name].strip() for row in rows for name in row if name.startswith("annotator_")}
    responses = welivita2024_build / "datasets" / "responses" / "source.parquet"

    seen = {str(one.rater) for one in read_table(responses, Response)}

    assert seen == {pseudonyms.PUBLISHED.pseudonym(rater) for rater in ids}
    assert len(seen) == len(ids)


def test_the_earlier_study_has_6000_rated_responses(data_dir: Path) -> None:
    items = kept(read(WELIVITA2023, data_dir / "welivita2023" / "dataset_and_ratings.csv"))
    ratings = [one.rating for item in items for one in item.responses]

    assert [ratings.count(rating) for rating in (1, 2, 3)] == [640, 1811, 3549]


@pytest.mark.slow
def test_one_command_builds_the_corpora_in_a_folder_of_their_own(
    data_dir: Path, tmp_path: Path
) -> None:
    raw, out = data_dir / "welivita2024" / "dataset.csv", tmp_path / "build"

    done = distillery(
        "repro", "--source", "welivita2024", "--path", str(raw), "--out", str(out), "--json",
        cwd=PROJECT,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts == read_json(out / "reports" / "metrics" / "corpora.json")
    assert counts["corpora"]["direct-chatgpt"]["authors"]["pairs"] == 730
    assert count_rows(out / "datasets" / "sft" / "direct-all_together.parquet") == 4788
