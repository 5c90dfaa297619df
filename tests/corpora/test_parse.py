"""From raw completions to replies: what is taken off, and what is dropped with which reason."""

from __future__ import annotations

import pytest

from pipeline.corpora.parse import Unusable, instruction_runs, parse_completion

TOLD = instruction_runs(["Show that the listener feels something of what the person feels today."])


def parse(text: str, *, improves: str | None = "That is bad.", max_words: int = 97) -> object:
    return parse_completion(text, instructions=TOLD, improves=improves, max_words=max_words)


@pytest.mark.parametrize(
    "raw",
    [
        "That must hurt, truly.",
        "  That must hurt, truly.\n",
        'Here is an improved response:\n\n"That must hurt, truly."',
        "Sure! Here's a more empathetic version of the reply: That must hurt, truly.",
        "Certainly. Here is the listener's new reply:\nThat must hurt, truly.",
        "Here you go:\nThat must hurt, truly.",
        "**Improved Reply:** That must hurt, truly.",
        "Improved response: “That must hurt, truly.”",
        "Reply: 'That must hurt, truly.'",
        "The listener said: That must hurt, truly.",
        "<reply>\nThat must hurt, truly.\n</reply>",
        "```\nThat must hurt, truly.\n```",
        "That must hurt, truly. (4 words)",
        "That must hurt, truly.\n\nWord count: 4",
        "That must hurt, truly.\n\nI hope this helps! Let me know.",
        "That must hurt, truly.\n\nNote: I made it warmer.",
        "That must hurt, truly.\n\nThis version shows more warmth.",
        "<think>Which side?\nThe affective.</think>\nThat must hurt, truly.",
    ],
)
def test_what_stands_around_a_reply_is_taken_off(raw: str) -> None:
    assert parse(raw) == "That must hurt, truly."


@pytest.mark.parametrize(
    "reply",
    [
        '"Go on," she said, and you said, "no more."',
        "Here is what I hear in it: you are worn out.",
        "I'm sorry you can't sleep. That sounds awful.",
        "I hope this response of theirs is not the last word.",
        "You can call me: I would love to talk.",
        "It is what I would feel: torn.",
        "Note how far you have come already!",
    ],
)
def test_a_reply_that_only_looks_wrapped_stays(reply: str) -> None:
    assert parse(reply) == reply


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ('""', "empty"),
        ("Here is the new reply:", "empty"),
        ("I would put it to you like this:", "only_a_preamble"),
        ("<context>", "only_a_preamble"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("I cannot assist with this request.", "refusal"),
        ("As an AI, I feel with you.", "speaks_as_a_model"),
        ("I am just a language model, but I care.", "speaks_as_a_model"),
        ("The listener is kind in this reply.", "remarks_on_the_reply"),
        ("This shows cognitive empathy for you.", "leaks_the_definition"),
        (
            "It must show that the listener feels something of what the person feels.",
            "echoes_the_prompt",
        ),
        ("that is bad!", "unchanged"),
        ("word " * 98, "over_long"),
    ],
)
def test_what_is_no_reply_is_dropped_with_its_reason(raw: str, reason: str) -> None:
    found = parse(raw)

    assert isinstance(found, Unusable)
    assert found.reason == reason


def test_a_line_that_repeats_the_prompt_is_dropped_and_the_reply_stays() -> None:
    raw = (
        "Show that the listener feels something of what the person feels today.\n"
        "Cognitive: I see why.\n"
        "That must hurt, and I am here."
    )

    assert parse(raw) == "That must hurt, and I am here."


def test_the_limit_counts_words_and_is_inclusive() -> None:
    assert parse("word " * 97) == ("word " * 97).strip()


def test_parsing_twice_changes_nothing() -> None:
    once = parse('Here is an improved response:\n"That must hurt." (3 words)')

    assert parse(str(once)) == once
