"""The pages of a build are made from the data that its stages left, and from nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.audit.run import write_result
from pipeline.errors import TargetError
from pipeline.reporting.built_pages import maker_of, write_pages
from tests.reporting.doors import METRICS, build
from tests.reporting.test_audit_page import audited, finding

__all__ = ["build"]


def test_the_comparison_is_made_from_two_files_of_figures(build: Path) -> None:
    write_pages(build, {"comparison": build / "reports/evaluation"})

    page = (build / "reports/evaluation/index.html").read_text(encoding="utf-8")
    make = maker_of(build, "reports/evaluation/index.html")
    assert make is not None
    assert page == make()
    assert "81.2%" in page


def test_what_is_not_built_any_more_has_no_page_any_more(build: Path) -> None:
    out = build / "reports/evaluation"
    write_pages(build, {"comparison": out})
    (build / METRICS / "evaluation.json").unlink()

    write_pages(build, {"comparison": out})

    assert list(out.glob("*.*ml")) == []
    assert maker_of(build, "reports/evaluation/index.html") is None


def test_a_folder_with_something_of_others_is_left_as_it_is(build: Path) -> None:
    mine = build / "reports/evaluation/notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")

    with pytest.raises(TargetError, match="not empty, and not made by this command"):
        write_pages(build, {"comparison": mine.parent})

    assert mine.read_text(encoding="utf-8") == "mine"


def test_each_audited_table_has_a_page_made_from_its_findings(build: Path) -> None:
    result = audited([finding(1, "I cannot help")])
    write_result(result, build / "datasets/audit/source")

    write_pages(build, {"audits": build / "reports/audit"})

    page = (build / "reports/audit/source/index.html").read_text(encoding="utf-8")
    assert "before <mark>I cannot help</mark> after" in page
    assert "In <code>datasets/audit/source</code> lie <code>findings.parquet</code>" in page
