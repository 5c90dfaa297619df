from __future__ import annotations

from typing import Any

from pipeline.features.coder import CodedSentence
from pipeline.features.labelled import labelled_sentences, people_first
from pipeline.records import BehaviourCode, FinalLabel
from pipeline.stages.featurize import shown_sentences
from tests.examples import LOST_JOB, response

ANSWER = response("listener_a", 2, "Nine years is long. What do you do with the mornings now?")
PAIRS = [(LOST_JOB, ANSWER)]


def label(sentence: int | None, *codes: str, **changes: Any) -> FinalLabel:
    values: dict[str, Any] = {
        "item_id": ANSWER.id,
        "question": "codes",
        "sentence": sentence,
        "values": codes,
        "method": "majority",
        "annotators": ("ann", "ben", "cleo"),
        "agreeing": 2,
        "guidelines": "1",
        "round": 1,
    }
    return FinalLabel.model_validate({**values, **changes})


def found(*labels: FinalLabel) -> list[CodedSentence]:
    return list(labelled_sentences(labels, PAIRS, shown_sentences))


def test_a_coded_sentence_has_its_text_code_and_dialogue() -> None:
    assert found(label(1, "Open Question")) == [
        CodedSentence(
            "What do you do with the mornings now?",
            BehaviourCode.OPEN_QUESTION,
            LOST_JOB.dialogue_id,
        )
    ]


def test_what_names_no_one_code_of_a_known_sentence_is_left_out() -> None:
    assert not found(
        label(0),
        label(0, "Support", "Affirm"),
        label(2, "Support"),
        label(None, "Support"),
        label(0, "Support", method="source"),
        label(0, "Support", item_id="response-of-another-corpus"),
        label(None, "3", question="empathy"),
    )


def test_people_go_before_silver_codes_of_the_same_sentence() -> None:
    group = LOST_JOB.dialogue_id
    silver = [
        CodedSentence("Nine years is long.", BehaviourCode.OTHER, group),
        CodedSentence("Nine years is long.", BehaviourCode.OTHER, "another dialogue"),
    ]
    people = found(label(0, "Simple Reflection"))

    assert people_first(silver, people) == [silver[1], people[0]]
