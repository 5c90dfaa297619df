"""A round of made-up items, as the tests on a live server push it."""

from __future__ import annotations

from typing import Any

from pipeline.annotation.guidelines import load_guidelines
from pipeline.annotation.items import Item
from pipeline.annotation.pseudonyms import Pseudonyms
from pipeline.annotation.push import Push
from pipeline.records import Suggestion
from tests.annotation.conftest import ROOT

BOOK = load_guidelines(ROOT / "annotations" / "guidelines")
NAMES = Pseudonyms(b"a salt for tests")


def item(number: int, *, wanted: int = 1, blind: bool = False) -> Item:
    name = f"response-{number:04d}"
    return Item(
        id=name,
        fields={
            "situation": f"Situation {number}.",
            "chat": [
                {"role": "speaker", "content": f"Utterance {number}."},
                {"role": "listener", "content": "I am sorry. What happened?"},
            ],
            "response": "I am sorry. What happened?",
        },
        wanted=wanted,
        blind=blind,
        suggestions=(
            Suggestion(item_id=name, question="empathy", value=2, score=0.7, agent="scorer"),
            Suggestion(item_id=name, question="empathy", value=3, agent="rater (of C++)"),
            Suggestion(
                item_id=name,
                question="codes",
                sentence=0,
                value=("Support",),
                score=0.8,
                agent="coder + more",
            ),
        ),
    )


def a_push(number: int, items: list[Item], annotators: list[str], **more: Any) -> Push:
    return Push(
        round_number=number,
        kind="responses",
        items=items,
        annotators=annotators,
        guidelines=BOOK,
        seed=1,
        **more,
    )
