"""What the audit must find in public data unaided, and what must never come out of it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipeline.audit.building import read_table
from pipeline.audit.detectors import BUILT_IN
from pipeline.audit.result import AuditResult
from pipeline.audit.run import run_audit
from pipeline.audit.settings import AuditSettings
from studies.audit import with_papers_split

CHEAP = {"column_copies", "codes_fit", "group_leakage", "straight_lining", "rater_severity"}


def audit(path: Path, *, split: bool = False) -> AuditResult:
    table = read_table(path)
    chosen = {name: BUILT_IN[name] for name in BUILT_IN if name in CHEAP}
    return run_audit(
        with_papers_split(table) if split else table, AuditSettings(), detectors=chosen
    )


@pytest.fixture(scope="module")
def welivita2023(data_dir: Path) -> AuditResult:
    return audit(data_dir / "welivita2023" / "dataset_and_ratings.csv")


def test_the_copied_column_of_codes_is_found_unaided(welivita2023: AuditResult) -> None:
    copies = [one for one in welivita2023.findings if one.detector == "column_copies"]
    fits = [one for one in welivita2023.findings if one.detector == "codes_fit"]

    assert [one.evidence for one in copies] == ["miti_chatgpt = miti_chatgpt_empathy"]
    assert [one.evidence for one in fits] == ["chatgpt_empathy -> chatgpt"]


def test_no_rater_id_of_the_file_is_in_a_finding(welivita2023: AuditResult, data_dir: Path) -> None:
    with (data_dir / "welivita2023" / "dataset_and_ratings.csv").open(newline="") as stream:
        ids = {row["annotator_human"] for row in csv.DictReader(stream)}
    said = "".join(one.model_dump_json() for one in welivita2023.findings)

    assert len(ids) == 200
    assert not [rater for rater in ids if f'"{rater}"' in said or f"{rater} " in said]


def test_the_tasks_on_both_sides_of_the_papers_split_are_counted(data_dir: Path) -> None:
    result = audit(data_dir / "welivita2024" / "dataset.csv", split=True)
    (run,) = (one for one in result.runs if one.detector == "group_leakage")

    assert run.figures["leaking"] == 37
