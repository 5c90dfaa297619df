"""The comparison table as a page, Markdown, CSV and SVG."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from pipeline.evaluation.comparison import ComparisonRow
from pipeline.evaluation.reply_report import check_lines
from pipeline.reporting.comparison import (
    comparison_csv,
    comparison_pages,
    comparison_table,
)
from pipeline.reporting.comparison.figure import comparison_figure
from tests.pages.browsing import Visit, chromium

HOSTILE = '"><script>window.ran = true</script> {{ 7 * 7 }} \u202egnorts'
SVG = "{http://www.w3.org/2000/svg}"
ALL = ComparisonRow(
    model="dpo-<direct>",
    opponent="base",
    corpus="<direct>",
    judge="scorer",
    test_set="random",
    length_matched=False,
    win_rate=0.9123,
    ci=(0.85, 0.95),
    n=250,
    tie_share=0.1,
    failed_share=0.0,
    position_bias="not applicable",
    length_controlled=0.88,
    length_controlled_ci=(0.8, 0.93),
)
NONE = ALL.model_copy(
    update={
        "length_matched": True,
        "win_rate": None,
        "ci": None,
        "n": 0,
        "tie_share": None,
        "failed_share": None,
        "length_controlled": None,
        "length_controlled_ci": None,
    }
)
FIGURES = {
    "judges": {"scorer": "ratings of the train dialogues"},
    "judge_agreement": [
        {"judges": ("a", "b"), "kappa": None, "kappa_ci": None, "raw": 1.0, "raw_ci": None, "n": 1}
    ],
    "models": {
        "base": {
            "replies": 4,
            "words_mean": 20.0,
            "distinct_1": 0.5,
            "distinct_2": None,
            "repetition": 0.1,
            "overlap_with_utterance": 0.2,
            "miti_style": {"percent_complex": None, "reflections_per_question": 1.5},
            "audit": {"critical_per_100": 25.0},
        }
    },
    "critical_findings_per_100": {"sft": {"student": 25.0, "teacher": 0.0, "no_worse": False}},
}


def write(folder: Path, rows: list[ComparisonRow], figures: dict[str, Any]) -> None:
    for name, make in comparison_pages(rows, figures).items():
        (folder / name).write_text(make(), encoding="utf-8")


def test_a_line_has_the_rate_with_its_interval_and_a_dash_for_what_is_not_known() -> None:
    line = comparison_table([ALL, NONE]).splitlines()[2]

    assert "| 250 | 91.2 (85.0 to 95.0) | 0 | - | 88.0 (80.0 to 93.0) | 10.0 | 0.0 |" in line
    assert line.endswith("not applicable |")


def test_csv_has_two_columns_per_interval() -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv([ALL, NONE]))))

    assert (rows[0]["ci_low"], rows[0]["ci_high"]) == ("0.85", "0.95")
    assert (rows[1]["win_rate"], rows[1]["ci_low"], rows[1]["n"]) == ("", "", "0")


def test_the_figure_is_whole_svg_that_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(comparison_figure([ALL, NONE]))

    described = root.findtext(f"{SVG}desc") or ""
    assert root.get("role") == "img"
    assert "dpo-<direct> over base, random, by scorer: 91% (85 to 95, n 250)." in described


def test_the_figure_shows_a_mark_per_rate_and_none_where_there_is_none() -> None:
    root = ET.fromstring(comparison_figure([ALL, NONE]))

    titles = [one.text for one in root.iterfind(f"{SVG}g/{SVG}title")]
    assert titles == ["dpo-<direct> over base, random, by scorer: 91% (85 to 95, n 250)."]


def test_the_figure_loads_nothing() -> None:
    text = comparison_figure([ALL]).replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert "http" not in text
    assert "<script" not in text


def test_a_student_that_is_worse_than_its_teacher_is_named() -> None:
    assert check_lines(FIGURES) == [
        "sft: 25.0 critical findings per 100 replies, its teacher 0.0: WORSE than its teacher."
    ]


def test_all_forms_are_written(tmp_path: Path) -> None:
    write(tmp_path, [ALL, NONE], FIGURES)

    assert {one.name for one in tmp_path.iterdir()} == {
        "comparison.md",
        "comparison.csv",
        "comparison.svg",
        "index.html",
    }
    assert "| a and b | 1 | undefined | 100.0 |" in (tmp_path / "comparison.md").read_text()


def test_the_page_says_first_who_is_worse_than_its_teacher(tmp_path: Path) -> None:
    write(tmp_path, [ALL, NONE], FIGURES)

    html = (tmp_path / "index.html").read_text()

    assert "A student has more critical findings than its teacher" in html.split("<section")[0]
    assert "91.2%<br>" in html
    assert "dpo-&lt;direct&gt;" in html
    assert "dpo-<direct>" not in html


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_offline_and_axe_finds_nothing_serious(
    tmp_path: Path, width: int, scheme: str
) -> None:
    hostile = [one.model_copy(update={"model": HOSTILE, "judge": HOSTILE}) for one in (ALL, NONE)]
    write(tmp_path, [ALL, NONE, *hostile], FIGURES)
    with chromium() as browser:
        visit = Visit(browser, tmp_path / "index.html", width=width, scheme=scheme)

        assert (visit.problems, visit.requests, visit.overflow()) == ([], [visit.url], 0)
        assert visit.page.evaluate("window.ran") is None

        checked = Visit(browser, tmp_path / "index.html", width=width, scheme=scheme, to_check=True)
        assert checked.violations() == []
