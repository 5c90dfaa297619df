"""The page of `distillery diff` in Chromium: hostile text is text, and nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.pages import write_page
from pipeline.reporting.revisions.causes import Cause
from pipeline.reporting.revisions.difference import CheckChange, Compared, Difference
from pipeline.reporting.revisions.page import page_html
from pipeline.reporting.revisions.revision import Revision
from pipeline.reporting.revisions.rows import RowChange, TableDiff
from pipeline.reporting.revisions.shifts import Shift
from tests.pages.browsing import Visit, chromium

pytestmark = pytest.mark.browser
HOSTILE = '"><script>window.ran = true</script> {{ 7 * 7 }} \u202egnorts ' + "word" * 60


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


def hostile(root: Path) -> Difference:
    """Return a difference with something of each sort, hostile wherever data can be."""
    changes = tuple(
        RowChange(f"pair-{number:016x}", f"pair-{number + 99:016x}", (HOSTILE, "tie"))
        for number in range(40)
    )
    gone = (RowChange("pair-1", None, (HOSTILE,)),)
    new = (RowChange(None, HOSTILE, ("exchange is not in the source",)),)
    shifts = tuple(
        Shift(f"emotion {HOSTILE} {number}", number / 40, number / 50, True, number > 20)
        for number in range(40)
    )
    tables = (
        Compared(TableDiff(HOSTILE, "preferences/strict", 1234, 1200, new, gone, changes), shifts),
        Compared(TableDiff("direct-all_together", "sft", None, 5, new, (), ()), ()),
        Compared(TableDiff("human-naive", "sft", 14, 14, (), (), ()), ()),
    )
    return Difference(
        Revision(root, "v1.0", "a1b2c3d4e5f6", "The first corpora", root),
        Revision(root, HOSTILE, None, HOSTILE, root),
        (
            Cause("setting", "prompt.max_words", "97", "96", ("build_sft", "build_preferences")),
            Cause("input", HOSTILE, "", "", ("ingest",)),
        ),
        tables,
        (CheckChange(HOSTILE, "gate", "passed", "failed", worse=True),),
        (CheckChange("sft-human-naive", "findings, warning", "3", "1", worse=False),),
    )


@pytest.fixture
def page(tmp_path: Path) -> Path:
    write_page(tmp_path / "diff.html", page_html(hostile(tmp_path)))
    return tmp_path / "diff.html"


@pytest.mark.parametrize("width", [1280, 390])
def test_opens_without_an_error_asks_for_nothing_and_fits(
    browser: Any, page: Path, width: int
) -> None:
    visit = Visit(browser, page, width=width)
    visit.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    assert (visit.problems, visit.requests) == ([], [visit.url])
    assert visit.overflow() == 0
    assert visit.page.evaluate("window.ran") is None
    assert "⟨U+202E⟩gnorts" in visit.page.inner_text("main")
    assert "{{ 7 * 7 }}" in visit.page.inner_text("main")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(browser: Any, page: Path, scheme: str, width: int) -> None:
    visit = Visit(browser, page, width=width, scheme=scheme, to_check=True)
    visit.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    assert visit.violations() == []


def test_nothing_changed_is_a_page_too(browser: Any, tmp_path: Path) -> None:
    side = Revision(tmp_path, "main", "a1b2c3d4e5f6", "The same", tmp_path)
    write_page(tmp_path / "same.html", page_html(Difference(side, side, (), (), (), ())))

    visit = Visit(browser, tmp_path / "same.html", width=390)

    assert (visit.problems, visit.overflow()) == ([], 0)
    assert "Neither revision has a corpus." in visit.page.inner_text("main")


def test_on_paper_nothing_is_wider_than_the_page(browser: Any, page: Path) -> None:
    visit = Visit(browser, page, width=800)
    visit.page.emulate_media(media="print")

    assert visit.overflow() == 0
