import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import AuditResult, DetectorRun
from pipeline.pages import write_page
from pipeline.reporting.audit_page import audit_html, measured, severity_bars

SCRIPT = "<script>window.ran = true</script>"
HOSTILE = [
    SCRIPT,
    "<img src=x onerror='window.ran = true'>",
    "javascript:window.ran=true",
    '"><a href="javascript:window.ran=true">click</a>',
    "\u202egnihtemos \u2066hidden\u2069",
    '=HYPERLINK("http://example.invalid","x")',
    "broken \ufffd\x00 bytes",
    "{{ 7 * 7 }} {% raw %}",
    "</style></title><base href='http://example.invalid/'>",
]


def finding(number: int, text: str = "all fine", severity: Severity = Severity.WARNING) -> Finding:
    return Finding(
        detector="refusals",
        severity=severity,
        row_ids=(f"row-{number}", text[:40] or "x"),
        dialogue_id=text[:40],
        responder=text[:40],
        evidence=text[:100],
        excerpt=f"before {text[:600]} after",
        score=0.5,
        explanation=f"It says {text[:100]}",
        action="Drop it.",
    )


def audited(findings: list[Finding], **changes: object) -> AuditResult:
    runs = [
        DetectorRun("refusals", "teacher artefacts", "ok", rows_checked=99),
        DetectorRun("crisis", "safety", "failed", why="ValueError: <b>broke</b>"),
        DetectorRun("pair_ties", "preference pairs", "skipped", why="no columns of pairs"),
        DetectorRun("claims", "safety", "ok", rows_checked=99, figures={"by": {SCRIPT: 2, "b": 1}}),
    ]
    values: dict[str, object] = {
        "name": "made",
        "rows": 99,
        "texts": 99,
        "columns": {"text": SCRIPT},
        "columns_guessed": True,
        "notes": [f"column {SCRIPT} is empty"],
        "runs": runs,
        "findings": findings,
    }
    return AuditResult(**{**values, **changes})  # type: ignore[arg-type]


def page(folder: Path, result: AuditResult, *, kept_in: str | None = None) -> str:
    write_page(folder / "index.html", audit_html(result, kept_in=kept_in))
    return (folder / "index.html").read_text(encoding="utf-8")


def test_the_evidence_is_marked_in_its_excerpt(tmp_path: Path) -> None:
    html = page(tmp_path, audited([finding(1, "I cannot help")]))

    assert "before <mark>I cannot help</mark> after" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped_and_what_is_unseen_is_spelled_out(
    tmp_path: Path, text: str
) -> None:
    clean = page(tmp_path, audited([finding(1)], columns={"text": "reply"}, notes=[]))
    html = page(tmp_path, audited([finding(1, text)], columns={"text": text}, notes=[text]))

    assert Parsed(html).tags == Parsed(clean).tags
    assert not any(name.startswith("on") for name, _ in Parsed(html).attributes)
    assert all(
        str(value).startswith("#") for name, value in Parsed(html).attributes if name == "href"
    )
    assert not re.search("[\x00\u202e\u2066\u2069]", html)


class Parsed(HTMLParser):
    """The tags that load or run something, and all attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "base", "style", "title", "iframe", "link", "object"):
            self.tags[tag] += 1
        self.attributes += attrs


def test_half_a_character_does_not_stop_the_page(tmp_path: Path) -> None:
    assert "half ⟨U+DCFF⟩" in page(tmp_path, audited([], notes=["half \udcff"]))


def test_a_megabyte_does_not_make_a_page_of_a_megabyte(tmp_path: Path) -> None:
    long = "x" * 1_000_000
    html = page(tmp_path, audited([finding(1)], name=long, columns={"text": long}, notes=[long]))

    assert len(html) < 100_000


def test_a_broken_detector_is_critical_news(tmp_path: Path) -> None:
    html = page(tmp_path, audited([]))

    assert "1 detector failed: what they look for is unknown, not absent" in html
    assert "ValueError: &lt;b&gt;broke&lt;/b&gt;" in html


def test_ids_of_a_build_lead_to_explain_quoted_for_the_shell(tmp_path: Path) -> None:
    odd = finding(1).model_copy(update={"row_ids": ("a; rm -rf b",)})

    html = page(tmp_path, audited([odd]), kept_in="datasets/audit/made")

    assert "distillery explain &#39;a; rm -rf b&#39;" in html
    assert "distillery explain" not in page(tmp_path, audited([odd]))


def test_shows_the_worst_first_and_says_how_many_there_are(tmp_path: Path) -> None:
    findings = [finding(number) for number in range(30)]
    findings.append(finding(99, severity=Severity.CRITICAL))

    html = page(tmp_path, audited(findings))

    assert "the first 20 of 31 findings are shown" in html
    assert html.index('data-severity="critical"') < html.index('data-severity="warning"')


def test_waived_findings_stay_visible_and_do_not_count(tmp_path: Path) -> None:
    known = finding(1, severity=Severity.CRITICAL)
    runs = [DetectorRun("refusals", "teacher artefacts", "ok")]

    html = page(tmp_path, audited([known], waived=[known], runs=runs))

    assert '<span class="tag">waived</span>' in html
    assert "Nothing critical and no warning" in html


def test_bars_stack_by_severity_and_the_longest_fills_the_width() -> None:
    bars = severity_bars([("a", {"warning": 1}), ("b", {"critical": 1, "info": 3})])

    assert [(bar.label, bar.total) for bar in bars] == [("b", 4), ("a", 1)]
    assert bars[0].segments == [("critical", 1.0, 0.0, 25.0), ("info", 3.0, 25.0, 75.0)]


def test_rows_with_figures_of_their_own_are_charts_and_naughts_are_a_line() -> None:
    openers = {who: {f"{who} {number}": 0.5 for number in range(5)} for who in ("a", "b", "c")}

    found = measured({"top_openers": openers, "by_rule": {"x": 0, "y": 0}})

    assert [name for name, _ in found.bars] == [f"top openers: {who}" for who in ("a", "b", "c")]
    assert found.plain == [("by rule", "none: x, y")]
    assert not found.tables


def test_figures_become_single_values_bars_or_tables() -> None:
    found = measured({"one": 3, "by_responder": {"a": 1, "b": 2}, "both": {"a": {"x": 1}}})

    assert found.plain == [("one", 3)]
    assert [name for name, _ in found.bars] == ["by responder"]
    assert found.tables[0][1].heads == ["x"]
