from __future__ import annotations

import pytest

from pipeline.audit.parroting import parroting
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text


def found(prompt: str, reply: str, *, material: str | None = None) -> list[str]:
    text = Text(row_id="1", text=reply, column="reply", prompt=prompt, situation=material)
    table = AuditTable(name="t", rows=1, texts=[text])
    return [finding.explanation for finding in parroting(table, AuditSettings()).findings]


def test_a_turn_said_again_is_reported() -> None:
    told = "My sister moved away last spring and the house is so quiet."

    assert found(told, "So the house is so quiet, your sister moved away last spring.") != []


@pytest.mark.parametrize(
    ("told", "reply"),
    [
        ("He came home with a gold medal after all.", "Who came home with a gold medal?"),
        ("I really miss those long summer days.", "I miss those long summer days too!"),
        ("Have a good day!", "You have a good day!"),
    ],
)
def test_words_taken_up_to_ask_agree_or_part_are_no_parroting(told: str, reply: str) -> None:
    assert found(told, reply) == []


def test_a_task_may_repeat_its_material() -> None:
    task = "Complete this sentence: On rainy days the old cat sleeps beside the ____."

    assert found(task, "On rainy days the old cat sleeps beside the stove.") == []


def test_a_task_handed_back_word_for_word_is_reported() -> None:
    material = "the old cat sleeps beside the stove on rainy days in winter"

    assert found("Translate the sentence into French.", material, material=material) == [
        "Hands back what it was given to work on, word for word."
    ]


def test_material_with_one_word_corrected_is_not_handed_back() -> None:
    material = "the old cat sleep beside the stove on rainy days in winter"

    mended = material.replace("sleep ", "sleeps ")

    assert found("Correct the sentence.", mended, material=material) == []
