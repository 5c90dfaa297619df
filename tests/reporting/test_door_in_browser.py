"""The first page in Chromium: no error, no request, and nothing that a reader stumbles over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.pages import write_page
from pipeline.reporting.door.states import live_states
from pipeline.reporting.stage_graph import read_stage_graph
from tests.pages.browsing import Visit, chromium
from tests.reporting.doors import HOSTILE, build, change, page_of

__all__ = ["build"]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(build: Path) -> Path:
    """Return the page of a build with something good, bad and missing in it."""
    change(build, "ingest.json", "title", to=HOSTILE)
    change(build, "audit.json", "sft-human-naive", "critical", to=2)
    (build / "reports/metrics/scorer.json").write_text("{")
    graph = read_stage_graph(build / "dvc.yaml")
    states = live_states(
        graph,
        changed={"split": ["changed command"], "train_scorer": ["changed command"]},
        locked=graph.stages,
        notes={"train_scorer": "one class only"},
    )
    write_page(build / "reports/index.html", page_of(build, states))
    return build / "reports/index.html"


@pytest.mark.parametrize("width", [1280, 390])
def test_opens_without_an_error_asks_for_nothing_and_fits(
    browser: Any, page: Path, width: int
) -> None:
    visit = Visit(browser, page, width=width)

    assert (visit.problems, visit.requests) == ([], [visit.url])
    assert visit.overflow() == 0
    assert visit.page.evaluate("window.ran") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(browser: Any, page: Path, scheme: str, width: int) -> None:
    visit = Visit(browser, page, width=width, scheme=scheme, to_check=True)

    assert visit.violations() == []


def test_the_keyboard_reaches_content_sections_and_wide_tables(browser: Any, page: Path) -> None:
    visit = Visit(browser, page, width=390)
    seen = []
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        seen.append(
            visit.page.evaluate(
                "(one => one.getAttribute('aria-label') || one.textContent.trim().slice(0, 40))"
                "(document.activeElement)"
            )
        )

    assert seen[0] == "Skip to the content"
    assert {"Corpora", "Gates and audit", "The graph of the pipeline"} <= set(seen)


def test_on_paper_everything_is_there_and_nothing_is_cut(browser: Any, page: Path) -> None:
    visit = Visit(browser, page, width=800)
    visit.page.emulate_media(media="print")

    assert visit.overflow() == 0
    assert visit.page.locator("nav").is_hidden()
    cut = visit.page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.getAttribute('aria-label'))"
    )
    assert cut == []
