"""Texts that must not enter a corpus."""

from __future__ import annotations

import pytest

from pipeline.sources.base import unusable


@pytest.mark.parametrize(
    "text",
    [
        "tab\tand\r\nnew line",
        "{{ braces }} {% raw %}",
        "<script>alert(1)</script>",
        "$(rm -rf /); `id` && echo",
        "☂ naïve 你好",
        "",
    ],
)
def test_text_is_taken_as_it_is(text: str) -> None:
    assert unusable(text, 100) is None


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("x" * 101, "too_long", "101 characters, at most 100 are taken"),
        ("a\x00b", "control_character", "U+0000 at character 1"),
        ("\x1b[31mred", "control_character", "U+001B at character 0"),
        ("del\x7f", "control_character", "U+007F at character 3"),
        ("half \ud83d", "half_a_character", "lone surrogate at character 5"),
    ],
)
def test_damaged_text_is_refused_with_a_reason(text: str, reason: str, detail: str) -> None:
    assert unusable(text, 100) == (reason, detail)
