from __future__ import annotations

from dataclasses import replace

from pipeline.audit.finding import Severity
from pipeline.audit.leakage import common_span, cross_split, group_leakage, leakage_against
from pipeline.audit.settings import AuditSettings
from tests.audit.tables import table, text

SAID = "I sat in the car for an hour before I could go in."
NEAR = "I sat in the car for an hour before I could walk in."


def test_a_text_of_another_file_is_found_with_the_span_they_share() -> None:
    audited = replace(
        table([text(NEAR, 0), text("Nothing like any of that, I think.", 1)]),
        against=[text(SAID, 9)],
        against_name="train.csv",
    )

    (finding,) = leakage_against(audited, AuditSettings()).findings

    assert finding.row_ids == ("0", "train.csv:9")
    assert finding.evidence == "I sat in the car for an hour before I could "


def test_the_same_words_in_two_splits_are_critical_and_near_ones_a_warning() -> None:
    texts = [text(SAID, 0, split="train"), text(SAID, 1, split="test"), text(NEAR, 2, split="test")]

    found = cross_split(table(texts), AuditSettings()).findings

    assert [(one.row_ids, one.severity) for one in found] == [
        (("1", "0"), Severity.CRITICAL),
        (("2", "0"), Severity.WARNING),
    ]


def test_short_texts_recur_by_chance() -> None:
    texts = [text("Thank you!", 0, split="train"), text("Thank you!", 1, split="test")]

    assert cross_split(table(texts), AuditSettings()).findings == []


def test_dialogues_of_one_task_on_both_sides_are_found() -> None:
    texts = [
        text("One.", 0, split="train", dialogue_id="hit:5_conv:1"),
        text("Two.", 1, split="test", dialogue_id="hit:5_conv:2"),
        text("Three.", 2, split="test", dialogue_id="hit:6_conv:3"),
    ]

    (finding,) = group_leakage(table(texts), AuditSettings()).findings

    assert finding.cluster == "task hit:5"


def test_the_span_is_that_of_the_first_text() -> None:
    assert common_span("xx hello there", "hello there yy") == (3, 14)
