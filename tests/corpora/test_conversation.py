"""The prompt side of a training row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.conversation import PromptParams, answer, prompt_messages
from pipeline.records import Exchange, Turn
from tests.examples import LATE_TRAIN, LOST_JOB, PROMPT

TURNS = st.lists(
    st.builds(Turn, role=st.sampled_from(["speaker", "listener"]), text=st.text("ab", min_size=1)),
    max_size=6,
)


def _with_history(*turns: Turn) -> Exchange:
    return LOST_JOB.model_copy(update={"history": turns})


def test_an_exchange_without_history_is_one_message() -> None:
    (only,) = prompt_messages(LOST_JOB, PROMPT)

    assert only.role == "user"
    assert LOST_JOB.situation in only.content
    assert LOST_JOB.utterance in only.content


def test_the_lengths_stand_in_the_prompt() -> None:
    (only,) = prompt_messages(LOST_JOB, PromptParams(mean_words=11, max_words=222))

    assert "about 11 words" in only.content
    assert "never more than 222" in only.content


def test_the_first_turn_is_in_the_template_and_the_later_ones_as_they_were_said() -> None:
    first, second, third = prompt_messages(LATE_TRAIN, PROMPT)

    assert "The train did it again." in first.content
    assert LATE_TRAIN.utterance not in first.content
    assert (second.role, second.content) == ("assistant", "Oh no, today of all days?")
    assert (third.role, third.content) == ("user", LATE_TRAIN.utterance)


def test_turns_of_one_side_in_a_row_are_one_message() -> None:
    exchange = _with_history(
        Turn(role="speaker", text="one"),
        Turn(role="listener", text="two"),
        Turn(role="listener", text="three"),
    )

    assert prompt_messages(exchange, PROMPT)[1].content == "two\nthree"


def test_a_chat_does_not_begin_with_the_listener() -> None:
    (only,) = prompt_messages(_with_history(Turn(role="listener", text="Hello there")), PROMPT)

    assert "Hello there" not in only.content


@given(TURNS)
def test_roles_alternate_from_user_to_user(turns: list[Turn]) -> None:
    roles = [one.role for one in prompt_messages(_with_history(*turns), PROMPT)]

    assert roles == (["user", "assistant"] * len(roles))[: len(roles)]
    assert roles[-1] == "user"


def test_braces_in_the_data_are_not_rendered() -> None:
    exchange = LOST_JOB.model_copy(update={"utterance": "{{ context }} {% raw %}"})

    assert "{{ context }} {% raw %}" in prompt_messages(exchange, PROMPT)[0].content


def test_a_response_is_the_message_of_the_assistant() -> None:
    assert answer("I see.").model_dump() == {"role": "assistant", "content": "I see."}


def test_the_prompt_id_names_the_template_and_its_text() -> None:
    assert PROMPT.prompt_id.startswith("direct/respond@")
