from __future__ import annotations

import json

import pytest

from pipeline.features.rater import RaterName, rate, tuning_lines
from pipeline.features.subfactors import SETS, subfactor_table
from pipeline.llm.chat import CallRejectedError
from tests.examples import LATE_TRAIN, LOST_JOB, response
from tests.teachers import ScriptedChat

ANSWER = response("listener_a", 2, "Nine years is a long time to get up for.")


@pytest.mark.parametrize("name", ["naive", "dimensions"])
async def test_a_scorer_of_the_whole_gives_one_rating(name: RaterName) -> None:
    chat = ScriptedChat(['{"rating": 3}'])

    assert await rate(name, LOST_JOB, ANSWER, chat) == {"rating": 3.0}
    assert LOST_JOB.utterance in chat.asked[0][0].content
    assert ANSWER.text in chat.asked[0][0].content


@pytest.mark.parametrize(("rater", "version"), [("subfactors_v1", "v1"), ("subfactors_v2", "v2")])
async def test_fifteen_aspects_are_asked_for_by_name_and_become_features(
    rater: RaterName, version: str
) -> None:
    names = [one.name for one in SETS[version]]
    chat = ScriptedChat([json.dumps(dict.fromkeys(names, 4))])

    found = await rate(rater, LOST_JOB, ANSWER, chat)
    table = subfactor_table(version, [(ANSWER.id, found)])

    assert len(names) == len(set(names)) == 15
    assert all(f"- {name} (" in chat.asked[0][0].content for name in names)
    assert table.values.tolist() == [[4.0] * 15]


@pytest.mark.parametrize("reply", ['{"rating": 7}', "very good", '{"rating": 2, "why": "kind"}'])
async def test_an_answer_beside_the_scale_is_no_rating(reply: str) -> None:
    chat = ScriptedChat([reply, reply])

    with pytest.raises(CallRejectedError, match="schema"):
        await rate("naive", LOST_JOB, ANSWER, chat)


async def test_turns_before_the_utterance_are_shown_to_the_rater() -> None:
    chat = ScriptedChat(['{"rating": 1}'])

    await rate("naive", LATE_TRAIN, ANSWER, chat)

    assert "Listener: Oh no, today of all days?" in chat.asked[0][0].content


def test_tuning_rows_end_with_the_human_rating_and_leave_out_the_unrated() -> None:
    unrated = response("listener_b", None, "I see.")

    lines = [json.loads(line) for line in tuning_lines([(LOST_JOB, ANSWER), (LOST_JOB, unrated)])]

    assert [[turn["role"] for turn in line["messages"]] for line in lines] == [
        ["user", "assistant"]
    ]
    assert json.loads(lines[0]["messages"][1]["content"]) == {"rating": 2}
