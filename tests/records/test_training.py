"""What trainers must not be given."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.records import PreferencePair
from tests.examples import message, pair, sft_example


def test_an_example_ends_with_the_assistant() -> None:
    with pytest.raises(ValidationError, match="end there"):
        sft_example("sft-1", message("user", "hello"))


def test_an_example_alternates_roles() -> None:
    with pytest.raises(ValidationError, match="alternate"):
        sft_example("sft-1", message("user", "a"), message("user", "b"), message("assistant", "c"))


def test_an_example_is_not_empty() -> None:
    with pytest.raises(ValidationError, match="roles must alternate"):
        sft_example("sft-1")


def test_an_example_may_begin_with_the_system() -> None:
    example = sft_example(
        "sft-1", message("system", "be kind"), message("user", "a"), message("assistant", "b")
    )

    assert [one.role for one in example.messages] == ["system", "user", "assistant"]


def test_a_pair_refuses_identical_sides() -> None:
    with pytest.raises(ValidationError, match="chosen and rejected are identical"):
        pair("I am sorry.", "I am sorry. ")


def test_a_pair_refuses_a_prompt_that_the_assistant_ends() -> None:
    values = pair("a", "b").model_dump()
    values["prompt"] += ({"role": "assistant", "content": "c"},)

    with pytest.raises(ValidationError, match="prompt must end with the user"):
        PreferencePair.model_validate(values)


def test_a_pair_refuses_a_side_of_the_user() -> None:
    values = pair("a", "b").model_dump()
    values["chosen"] = [{"role": "user", "content": "c"}]

    with pytest.raises(ValidationError, match="one assistant message"):
        PreferencePair.model_validate(values)
