import re

from pipeline.reporting.validation_page import validation_html
from pipeline.validation.run import BuildReport, Check, TableReport

HOSTILE = "<script>alert(1)</script>\u202etxt"


def test_the_page_shows_what_failed_and_where() -> None:
    page = page_with("id is unique", "exchange-1")

    assert "1 critical expectation failed" in page
    assert "id is unique" in page
    assert "exchange-1" in page


def test_the_page_names_no_other_address() -> None:
    page = page_with("id is unique", "exchange-1")

    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#)[^"'\s>)]+""", page) == []
    assert "default-src 'none'" in page


def test_text_of_the_data_is_inert() -> None:
    page = page_with("id is unique", HOSTILE)

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩txt" in page


def page_with(claim: str, value: str) -> str:
    failed = Check(
        claim=claim,
        severity="critical",
        passed=False,
        unexpected=1,
        checked=9,
        row_ids=(value,),
        values=(value,),
    )
    report = TableReport(name="exchanges", record="Exchange", corpus=None, rows=9, checks=[failed])
    return validation_html(BuildReport("made", compared=False, tables=[report]))
