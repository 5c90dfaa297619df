from __future__ import annotations

import pytest

from pipeline.annotation.agreement import UNDEFINED, GivenAnswer, Options, agreement_report
from pipeline.annotation.bands import band

OPTIONS = Options(
    scales={"empathy": "ordinal"}, categories={"empathy": ("1", "2", "3")}, resamples=200
)


def answers(question: str, table: dict[str, list[object]]) -> list[GivenAnswer]:
    """Return the answers of annotators a, b, c ... to items 0, 1, 2 ...; None is a gap."""
    return [
        GivenAnswer(f"i{item}", f"i{item}", name, question, value)
        for name, values in table.items()
        for item, value in enumerate(values)
        if value is not None
    ]


def test_a_question_is_reported_overall_and_per_pair() -> None:
    rows = answers("empathy", {"a": [1, 2, 3, 3, 1], "b": [1, 2, 3, 2, 1], "c": [1, 3, 3, 3, None]})

    report = agreement_report(rows, OPTIONS)["questions"]["empathy"]

    assert report["units"] == 5
    assert report["annotators"] == 3
    assert set(report["overall"]) == {
        "agreement",
        "krippendorff_alpha",
        "gwet_ac1",
        "gwet_ac2_quadratic",
    }
    alpha = report["overall"]["krippendorff_alpha"]
    assert alpha["low"] <= alpha["value"] <= alpha["high"]
    assert [pair["annotators"] for pair in report["pairs"]] == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert [pair["units"] for pair in report["pairs"]] == [5, 4, 4]


def test_sets_of_labels_are_compared_code_by_code() -> None:
    rows = answers(
        "codes", {"a": [("Affirm",), (), ("Affirm", "Support")], "b": [("Affirm",), (), ()]}
    )

    codes = agreement_report(rows, Options({}, {}, resamples=50))["questions"]["codes"]["codes"]

    assert set(codes) == {"Affirm", "Support"}
    assert codes["Affirm"]["given"] == 3
    assert codes["Affirm"]["overall"]["agreement"]["value"] == pytest.approx(2 / 3)
    assert codes["Affirm"]["counts_icc_2_1"]["value"] is not None


def test_an_undefined_coefficient_is_none_with_a_reason_and_not_zero() -> None:
    rows = answers("empathy", {"a": [2, 2, 2], "b": [2, 2, 2]})

    alpha = agreement_report(rows, OPTIONS)["questions"]["empathy"]["overall"]["krippendorff_alpha"]

    assert alpha == {"value": None, "reason": UNDEFINED}


def test_one_annotator_gives_a_report_without_pairs() -> None:
    report = agreement_report(answers("empathy", {"a": [1, 2]}), OPTIONS)["questions"]["empathy"]

    assert report["pairs"] == []
    assert report["overall"]["krippendorff_alpha"]["value"] is None


def test_words_get_a_nominal_and_numbers_an_ordinal_scale() -> None:
    rows = answers("better", {"a": ["A", "B"]}) + answers("stars", {"a": [1, 5]})

    report = agreement_report(rows, Options({}, {}))["questions"]

    assert report["better"]["scale"] == "nominal"
    assert report["stars"]["scale"] == "ordinal"


def test_agreement_over_time_needs_two_periods() -> None:
    rows = [
        GivenAnswer(f"{week}{item}", f"{week}{item}", name, "empathy", value, week)
        for week in ("2026-W01", "2026-W02")
        for name, values in {"a": [1, 2, 3], "b": [1, 2, 2]}.items()
        for item, value in enumerate(values)
    ]

    report = agreement_report(rows, OPTIONS)["questions"]["empathy"]

    assert set(report["over_time"]) == {"2026-W01", "2026-W02"}


@pytest.mark.parametrize(
    ("value", "cicchetti", "koo_li"),
    [
        (0.39, "poor", "poor"),
        (0.59, "fair", "moderate"),
        (0.75, "excellent", "good"),
        (None, None, None),
    ],
)
def test_the_same_value_has_other_names_in_other_bands(
    value: float | None, cicchetti: str | None, koo_li: str | None
) -> None:
    assert band(value, "cicchetti") == cicchetti
    assert band(value, "koo_li") == koo_li
