from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pipeline.audit.detector import SkippedError
from pipeline.audit.labels import class_balance, label_conflicts, label_noise
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import Text
from tests.audit.tables import rows, table

WORDS = {
    "glad": ("wonderful", "lovely", "joy", "party", "sunshine", "laughing"),
    "sad": ("funeral", "tears", "lost", "lonely", "grief", "empty"),
}


def labelled(count: int, flipped: int) -> list[Text]:
    rng = random.Random(3)
    texts = []
    for row in range(count):
        mood = ("glad", "sad")[row % 2]
        words = " ".join(rng.choices(WORDS[mood], k=8))
        label = mood if row >= flipped else {"glad": "sad", "sad": "glad"}[mood]
        texts.append(Text(str(row), f"{words} {rng.random()}", "a", label=label))
    return texts


def test_flipped_labels_are_found_and_few_others() -> None:
    found = rows(label_noise(table(labelled(400, 20)), AuditSettings()))

    hits = sum(int(row) < 20 for row in found)
    assert hits >= 16
    assert hits / len(found) >= 0.95


def test_probabilities_that_the_texts_bring_along_are_taken() -> None:
    texts = [
        replace(text, probabilities={"glad": 0.98, "sad": 0.02}, label="glad")
        if row % 2
        else replace(text, probabilities={"glad": 0.01, "sad": 0.99}, label="sad")
        for row, text in enumerate(labelled(200, 0))
    ]
    texts[7] = replace(texts[7], label="sad")

    found = label_noise(table(texts), AuditSettings())

    assert rows(found) == ["7"]
    assert found.figures["probabilities"] == "as the file has it"


@pytest.mark.parametrize("words", ["Yeah?", "And so you were thinking-"])
def test_a_label_is_not_doubted_by_a_word_or_half_a_phrase(words: str) -> None:
    texts = [*labelled(200, 0), *(Text(f"short-{n}", words, "a", label="sad") for n in range(20))]
    texts.append(Text("doubt", words, "a", label="glad"))

    assert not label_noise(table(texts), AuditSettings()).findings


def test_labels_that_the_text_does_not_predict_are_not_doubted() -> None:
    rng = random.Random(1)
    texts = [
        Text(str(row), " ".join(rng.choices(WORDS["sad"], k=8)), "a", label=str(rng.randrange(2)))
        for row in range(300)
    ]

    with pytest.raises(SkippedError, match="too little to doubt a label by"):
        label_noise(table(texts), AuditSettings())


def test_labels_of_a_few_dialogues_are_not_doubted() -> None:
    texts = [replace(text, dialogue_id=f"d{at % 3}") for at, text in enumerate(labelled(200, 10))]

    with pytest.raises(SkippedError, match="fewer than 5 dialogues"):
        label_noise(table(texts), AuditSettings())


def test_the_same_reply_to_the_same_prompt_with_two_labels_is_a_conflict() -> None:
    texts = [
        Text("0", "I hear you.", "a", prompt="I am sad", label="3"),
        Text("1", "i hear you", "a", prompt="I am sad.", label="3"),
        Text("2", "I hear you!", "a", prompt="I am sad", label="1"),
        Text("3", "I hear you!", "a", prompt="I won", label="2"),
    ]

    assert rows(label_conflicts(table(texts), AuditSettings())) == ["2"]


def test_a_rare_class_is_named() -> None:
    texts = [Text(str(n), "a", "a", label="rare" if n == 0 else "common") for n in range(100)]

    detection = class_balance(table(texts), AuditSettings())

    assert [one.evidence for one in detection.findings] == ["rare"]
    assert detection.figures["shares"] == {"all": {"common": 0.99, "rare": 0.01}}
