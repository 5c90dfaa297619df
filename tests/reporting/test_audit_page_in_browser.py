"""The report as a person meets it: opened from disk in Chromium, with the network off."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit.building import read_table
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import AuditResult, DetectorRun
from pipeline.audit.run import read_result, run_audit, write_result
from pipeline.audit.settings import AuditSettings
from pipeline.pages import write_page
from pipeline.reporting.audit_page import audit_html
from tests.reporting.test_audit_page import HOSTILE, audited, finding

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Visit:
    """A page that is open, and everything it complained about or asked for."""

    def __init__(self, browser: Any, path: Path, *, width: int = 1280, scheme: str = "light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        self.page = context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.url = path.as_uri()

    def shown(self) -> int:
        return self.page.locator(".finding:visible").count()

    def status(self) -> str:
        return str(self.page.locator("#status").inner_text())


@pytest.fixture
def report(tmp_path: Path) -> Path:
    findings = [finding(number) for number in range(8)]
    findings += [
        finding(number, text, Severity.CRITICAL) for number, text in enumerate(HOSTILE, start=100)
    ]
    write_page(tmp_path / "index.html", audit_html(audited(findings)))
    return tmp_path / "index.html"


def many(path: Path) -> Path:
    crisis = finding(500, "dark night").model_copy(update={"detector": "crisis"})
    findings: list[Finding] = [finding(number) for number in range(12)]
    result = AuditResult(
        name="made",
        rows=20,
        texts=20,
        columns={},
        columns_guessed=False,
        notes=[],
        runs=[
            DetectorRun("refusals", "teacher artefacts", "ok"),
            DetectorRun("crisis", "safety", "ok"),
        ],
        findings=[*findings, crisis],
    )
    write_page(path / "index.html", audit_html(result))
    return path / "index.html"


def test_opens_without_an_error_and_asks_for_nothing(browser: Any, report: Path) -> None:
    visit = Visit(browser, report)

    assert visit.problems == []
    assert visit.requests == [visit.url]


def test_hostile_rows_do_nothing_and_are_there_to_read(browser: Any, report: Path) -> None:
    visit = Visit(browser, report)
    visit.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")

    assert visit.page.evaluate("window.ran") is None
    assert visit.page.locator("main a:not([href^='#'])").count() == 0
    assert visit.page.locator("main img, main iframe, base").count() == 0
    text = visit.page.locator("main").inner_text()
    for shown in ("<script>window.ran = true</script>", "=HYPERLINK(", "⟨U+202E⟩", "{{ 7 * 7 }}"):
        assert shown in text
    assert visit.problems == []


def test_a_hostile_file_renders_inert_from_reading_to_page(browser: Any, tmp_path: Path) -> None:
    cells = [
        b"<script>window.ran = true</script> I am so sorry to hear that, dear.",
        b"<a href='javascript:window.ran=true'>Click here and all will be well.</a>",
        b"This is \xff\xfe broken \xc3\x28 text and I do not know why it is so.",
        "A \u202egnorts\u202c word, turned around, is in this reply to you.".encode(),
        b"=HYPERLINK('http://example.invalid','You will feel better') I promise.",
        b"All will be well, I know. " * 40_000,  # 1 MB
    ]
    lines = [b'%d,"%s"' % (number, cell) for number, cell in enumerate(cells * 2)]
    (tmp_path / "hostile.csv").write_bytes(b"id,response\n" + b"\n".join(lines) + b"\n")
    result = run_audit(read_table(tmp_path / "hostile.csv"), AuditSettings())
    write_result(result, tmp_path / "out")
    write_page(tmp_path / "out.html", audit_html(read_result(tmp_path / "out")))

    visit = Visit(browser, tmp_path / "out.html")
    visit.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")

    assert result.failed == []
    assert len(result.findings) > len(cells)
    assert "<script>window.ran = true</script>" in visit.page.locator("main").inner_text()
    assert visit.page.evaluate("window.ran") is None
    assert visit.page.locator("main a:not([href^='#'])").count() == 0
    assert (visit.problems, visit.requests) == ([], [visit.url])
    assert (tmp_path / "out.html").stat().st_size < 500_000


def test_the_search_narrows_the_findings_and_show_all_brings_them_back(
    browser: Any, tmp_path: Path
) -> None:
    visit = Visit(browser, many(tmp_path))

    visit.page.locator("#search").fill("DARK night")
    assert visit.status() == "1 of 13 findings on this page shown"
    assert visit.shown() == 1

    visit.page.locator("#search").fill("nowhere to be found")
    assert visit.shown() == 0
    assert visit.page.locator("#nothing").is_visible()

    visit.page.locator("#show-all").click()
    assert visit.status() == "13 of 13 findings on this page shown"


def test_detector_and_severity_filter_together(browser: Any, tmp_path: Path) -> None:
    visit = Visit(browser, many(tmp_path))

    visit.page.locator("#detector").select_option("refusals")
    assert visit.shown() == 12  # those that were folded are unfolded

    visit.page.locator("input[value=warning]").uncheck()
    assert visit.shown() == 0


def test_a_finding_can_be_followed_to_everything_about_its_row(
    browser: Any, tmp_path: Path
) -> None:
    visit = Visit(browser, many(tmp_path))

    visit.page.locator(".worst a").first.click()
    target = visit.page.locator(".finding:target")
    assert target.is_visible()

    target.locator("button[data-row='row-0']").click()
    assert visit.status() == "1 of 13 findings on this page shown about row row-0"
    assert visit.page.evaluate("document.activeElement.id") == "status"


def test_a_link_to_a_folded_or_filtered_finding_opens_it(browser: Any, tmp_path: Path) -> None:
    visit = Visit(browser, many(tmp_path))

    visit.page.evaluate("document.querySelector('.worst a').setAttribute('href', '#f12')")
    visit.page.locator(".worst a").first.click()
    assert visit.page.locator("#f12").is_visible()


def test_every_control_can_be_reached_and_used_by_keyboard(browser: Any, tmp_path: Path) -> None:
    visit = Visit(browser, many(tmp_path))

    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.className") == "skip"
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("dark")
    assert visit.shown() == 1
    reached = []
    for _ in range(5):
        visit.page.keyboard.press("Tab")
        reached.append(
            visit.page.evaluate("document.activeElement.id || document.activeElement.value")
        )
    assert reached == ["detector", "critical", "warning", "info", "show-all"]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_runs_over_the_edge_and_text_has_contrast(
    browser: Any, report: Path, width: int, scheme: str
) -> None:
    visit = Visit(browser, report, width=width, scheme=scheme)

    assert visit.page.evaluate("document.documentElement.scrollWidth") == width
    faint = visit.page.evaluate(FAINT)
    assert faint == []


def test_every_figure_and_field_has_a_name(browser: Any, report: Path) -> None:
    visit = Visit(browser, report)

    assert visit.page.locator("svg[role=img]:not([aria-label])").count() == 0
    assert visit.page.locator("svg:not([role=img]):not([aria-hidden])").count() <= (
        visit.page.locator("[aria-hidden] svg").count()
    )
    for field in ("#search", "#detector"):
        assert visit.page.locator(field).evaluate("node => node.labels.length") == 1
    levels = visit.page.locator("h1, h2, h3").evaluate_all("all => all.map(one => +one.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_print_leaves_out_the_controls(browser: Any, report: Path) -> None:
    visit = Visit(browser, report)
    visit.page.emulate_media(media="print")

    assert not visit.page.locator("#filter").is_visible()
    assert visit.page.locator(".finding").first.is_visible()


# Texts whose contrast with the background behind them is under 4.5 to 1 (WCAG 2.2, level AA).
FAINT = """() => {
  const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  for (const node of document.querySelectorAll("main *, header *, footer *")) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !node.getClientRects().length || node.closest("svg, option")) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.add(`${node.tagName}.${node.className} ${ratio.toFixed(2)}`);
  }
  return [...faint];
}"""
