"""The 15 behaviour codes and their place in MITI 4.2.1."""

from __future__ import annotations

from pipeline.records import TO_MITI_4, BehaviourCode, MitiCode


def test_there_are_fifteen_codes() -> None:
    assert len(BehaviourCode) == 15


def test_every_code_says_what_it_is_in_miti_4() -> None:
    assert set(TO_MITI_4) == set(BehaviourCode)


def test_no_code_of_the_set_is_seeking_collaboration() -> None:
    assert set(MitiCode) - set(TO_MITI_4.values()) == {MitiCode.SEEKING_COLLABORATION}


def test_both_kinds_of_question_are_one_in_miti_4() -> None:
    questions = {code for code, miti in TO_MITI_4.items() if miti is MitiCode.QUESTION}

    assert questions == {BehaviourCode.CLOSED_QUESTION, BehaviourCode.OPEN_QUESTION}
