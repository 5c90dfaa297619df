"""Measures of replies, model by model, beside those of their teachers."""

from __future__ import annotations

import pytest

from pipeline.audit.settings import AuditSettings
from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.reply_audit import audit_replies
from pipeline.evaluation.reply_report import reply_report
from pipeline.records import Exchange, Turn
from tests.evaluation.contests import exchange, reply

EXCHANGES = [exchange(number) for number in range(4)]
KIND = "Nine years is a long time, no wonder your mornings still belong to the shop."
BLANK = "..."


def said(model: str, texts: list[str]) -> dict[str, object]:
    return {one.id: reply(model, text, one) for one, text in zip(EXCHANGES, texts, strict=True)}


def pairs(text: str) -> list[tuple[Exchange, object]]:
    return [(one, reply("teacher", f"{text} {n}", one)) for n, one in enumerate(EXCHANGES)]


def report(texts: list[str]) -> dict[str, object]:
    return reply_report(
        EXCHANGES,
        {"sft-direct": said("sft-direct", texts)},  # type: ignore[dict-item]
        {"direct": pairs(KIND)},  # type: ignore[dict-item]
        None,
        AuditSettings(),
    )


def test_a_student_with_more_critical_findings_than_its_teacher_is_worse() -> None:
    found = report([KIND, KIND, BLANK, KIND])

    check = found["critical_findings_per_100"]["sft-direct"]  # type: ignore[index]
    assert check["student"] == 25.0
    assert check["teacher"] == 0.0
    assert check["no_worse"] is False


def test_a_reply_in_the_words_of_an_earlier_turn_parrots() -> None:
    before = "I had trained for the whole winter and then I broke my foot at the start."
    to = EXCHANGES[0].model_copy(
        update={
            "situation": "",
            "history": (Turn(role="speaker", text=before), Turn(role="listener", text="Oh dear.")),
        }
    )

    audits = [
        audit_replies("sft", [(one, reply("sft", before, one))], AuditSettings())
        for one in (to, to.model_copy(update={"history": ()}))
    ]

    assert [audit.counts["warning"] for audit in audits] == [1, 0]


def test_a_student_with_as_many_is_no_worse() -> None:
    found = report([KIND, f"{KIND} Truly.", "I hear you. What helps?", "That must feel odd."])

    check = found["critical_findings_per_100"]["sft-direct"]  # type: ignore[index]
    assert check == {"student": 0.0, "teacher": 0.0, "no_worse": True}


def test_every_model_has_its_measures_with_its_audit() -> None:
    figures = report([KIND] * 4)["models"]["sft-direct"]  # type: ignore[index]

    assert figures["replies"] == 4
    assert figures["different_replies"] == 0.25
    assert figures["audit"]["broken_detectors"] == []


def test_a_model_without_replies_cannot_be_audited() -> None:
    with pytest.raises(EvaluationError, match="base: no reply to audit"):
        audit_replies("base", [], AuditSettings())
