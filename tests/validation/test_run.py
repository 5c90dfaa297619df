from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.records import SFTExample
from pipeline.storage import write_table
from pipeline.validation.drift import Accepted, Profile
from pipeline.validation.tables import BuildPaths
from tests.validation.builds import edit, failures, reports


def test_a_sound_build_passes_every_expectation(build: BuildPaths) -> None:
    found = reports(build)

    assert list(found) == [
        "exchanges",
        "responses/source",
        "splits",
        "sft/c",
        "preferences/strict/c",
        "preferences/authors/c",
    ]
    assert {name: failures(report) for name, report in found.items()} == {
        name: {} for name in found
    }


def spoil_id(rows: list[dict[str, Any]]) -> None:
    rows[1]["id"] = rows[0]["id"]


def spoil(row: int, **values: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda rows: rows[row].update(values)


def says(role: str, text: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


DEFECTS = [
    ("exchanges", spoil_id, "id is unique", 2),
    ("exchanges", spoil(3, utterance=" "), "utterance is never blank", 1),
    ("exchanges", spoil(3, utterance=None), "utterance is always there", 1),
    (
        "exchanges",
        spoil(3, utterance="word " * 21),
        "the utterance has a usable length in words (1 to 20)",
        1,
    ),
    (
        "exchanges",
        spoil(3, emotion="peckish"),
        "emotions are of the vocabulary in params.yaml (expect.emotions)",
        1,
    ),
    ("responses/source", spoil(4, rating=4), "ratings are 1, 2 or 3", 1),
    ("responses/source", spoil(4, rater="A1B2"), "raters are pseudonyms (r- and 12 hex digits)", 1),
    (
        "responses/source",
        spoil(4, codes=["Reassure"]),
        "codes are of the 15 behaviour codes",
        1,
    ),
    (
        "responses/source",
        spoil(4, exchange_id="e99"),
        "the exchange that it answers is in this build",
        1,
    ),
    ("splits", spoil(0, split="validation"), "splits are train, dev or test", 1),
    ("splits", spoil(9, group="g0"), "no group is on two sides", 2),
    ("splits", lambda rows: rows.pop(), "each exchange is assigned", None),
    (
        "sft/c",
        spoil(2, messages=says("assistant", "Hm.") + says("user", "What?")),
        "roles alternate user, assistant and end with the assistant",
        1,
    ),
    ("sft/c", spoil(2, exchange_id="e9"), "only exchanges of the train split are trained on", 1),
    ("sft/c", spoil(2, response_id="r5good"), "the response belongs to the exchange", 1),
    (
        "preferences/strict/c",
        spoil(1, rejected=says("assistant", "That is good and hard for you.")),
        "chosen and rejected differ",
        1,
    ),
    (
        "preferences/strict/c",
        spoil(1, rejected_id="r2bad"),
        "both sides answer the prompt of this exchange",
        1,
    ),
    (
        "preferences/strict/c",
        spoil(1, chosen_rating=1),
        "chosen is rated above rejected where both are rated",
        1,
    ),
]


@pytest.mark.parametrize(
    ("table", "change", "claim", "rows"), DEFECTS, ids=[f"{one[0]}: {one[2]}" for one in DEFECTS]
)
def test_names_the_claim_that_a_defect_breaks_and_its_rows(
    build: BuildPaths,
    table: str,
    change: Callable[[list[dict[str, Any]]], None],
    claim: str,
    rows: int | None,
) -> None:
    path = {
        "exchanges": build.exchanges,
        "responses/source": build.responses / "source.parquet",
        "splits": build.splits,
        "sft/c": build.sft / "c.parquet",
        "preferences/strict/c": build.preferences / "strict" / "c.parquet",
    }[table]
    edit(path, change)

    found = failures(reports(build)[table])

    assert claim in found
    unexpected, ids = found[claim]
    assert unexpected == rows
    assert len(ids) == (rows or 0)


def test_a_tie_is_critical_in_strict_pairs_and_information_in_the_authors(
    build: BuildPaths,
) -> None:
    for name in ("strict", "authors"):
        edit(build.preferences / name / "c.parquet", spoil(0, chosen_rating=1))

    found = reports(build)

    assert len(found["preferences/strict/c"].failed("critical")) == 1
    assert found["preferences/authors/c"].failed("critical") == []
    assert len(found["preferences/authors/c"].failed("info")) == 1


def test_a_missing_column_fails_the_schema_and_the_rows_are_not_looked_at(
    build: BuildPaths,
) -> None:
    table = pq.read_table(build.splits)
    pq.write_table(table.drop_columns(["group"]), build.splits)

    report = reports(build)["splits"]

    assert report.profile is None
    assert failures(report) == {
        "columns and their types are those of the record type": (1, ("group",))
    }


def test_an_empty_corpus_is_checked_without_a_crash(build: BuildPaths) -> None:
    write_table(build.sft / "c.parquet", SFTExample, [])

    assert reports(build)["sft/c"].rows == 0


def test_a_build_far_from_the_accepted_one_fails_rows_lengths_and_shares(
    build: BuildPaths,
) -> None:
    accepted = Accepted(
        source="made",
        tables={
            "responses/source": Profile(
                rows=100,
                words={"p10": 7, "p50": 12, "p90": 14},
                shares={"rating": {"1": 0.5, "2": 0.3, "3": 0.2}},
            )
        },
    )

    report = reports(build, accepted)["responses/source"]

    drifted = {check.claim.split(" (")[0] for check in report.checks if not check.passed}
    assert drifted == {
        "about as many rows as accepted",
        "lengths in words are about as accepted",
        "share of rating 2 is about as accepted",
        "share of rating 3 is about as accepted",
    }
    assert all(check.is_drift for check in report.checks if not check.passed)


def test_a_build_is_like_itself(build: BuildPaths) -> None:
    tables = {name: report.profile for name, report in reports(build).items() if report.profile}

    again = reports(build, Accepted(source="made", tables=tables))

    assert all(not failures(report) for report in again.values())
    assert any(check.is_drift for check in again["sft/c"].checks)
