from __future__ import annotations

from pipeline.audit.columns import codes_fit, column_copies
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import Text
from tests.audit.tables import table


def test_a_column_that_repeats_another_is_found() -> None:
    raw = {
        "codes_a": [f"['{n % 31}']" for n in range(100)],
        "codes_b": [f"['{n % 31}']" for n in range(100)],
        "other": [n % 37 for n in range(100)],
    }
    detection = column_copies(table([Text("0", "a", "a")] * 100, raw=raw), AuditSettings())

    assert [one.evidence for one in detection.findings] == ["codes_a = codes_b"]


def test_flags_that_agree_by_chance_are_no_copies() -> None:
    raw = {"flag_a": [0] * 99 + [1], "flag_b": [0] * 100}
    raw |= {"one": list(range(100)), "two": list(range(100, 200))}

    assert (
        column_copies(table([Text("0", "a", "a")] * 100, raw=raw), AuditSettings()).findings == []
    )


def coded(row: int, who: str, sentences: int, codes: int) -> Text:
    return Text(f"{row}", "I hear you. " * sentences, who, responder=who, codes=("Affirm",) * codes)


def test_codes_that_fit_another_text_better_are_found() -> None:
    texts = []
    for row in range(60):
        first, second = 1 + row % 4, 1 + (row // 4) % 3
        texts += [coded(row, "plain", first, first), coded(row, "warm", second, first)]

    (finding,) = codes_fit(table(texts), AuditSettings()).findings

    assert (finding.responder, finding.evidence) == ("warm", "warm -> plain")


def test_codes_that_fit_their_own_text_are_no_finding() -> None:
    texts = []
    for row in range(60):
        first, second = 1 + row % 4, 1 + (row // 4) % 3
        texts += [coded(row, "plain", first, first), coded(row, "warm", second, second)]

    assert codes_fit(table(texts), AuditSettings()).findings == []
