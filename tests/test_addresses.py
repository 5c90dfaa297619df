"""A key is found in what a server says, however it was escaped on its way."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.addresses import hide_key, without_credentials

KEY = 'sk-a/b_"Canary"42.=+'
Escape = Callable[[str], str]
KEYS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\"),
    min_size=8,
    max_size=60,
)


def slashed(text: str) -> str:
    return json.dumps(text)[1:-1].replace("/", "\\/")


def numbered(text: str) -> str:
    return "".join(f"\\u{ord(sign):04X}" for sign in text)


def mixed(text: str) -> str:
    return "".join(numbered(sign) if n % 2 else slashed(sign) for n, sign in enumerate(text))


@pytest.mark.parametrize(
    "escape",
    [
        str,
        slashed,
        numbered,
        mixed,
        lambda text: slashed(slashed(text)),
        lambda text: slashed(numbered(text)),
        lambda text: slashed(slashed(mixed(text))),
        lambda text: quote(text, safe=""),
        lambda text: quote(quote(text, safe=""), safe=""),
        html.escape,
        lambda text: "".join(f"&#{ord(sign)};" for sign in text),
        lambda text: "".join(f"&#x{ord(sign):X};" for sign in text),
        lambda text: repr(text.encode())[2:-1],
    ],
)
def test_a_key_is_hidden_in_every_form(escape: Escape) -> None:
    said = f'{{"error": "Bearer {escape(KEY)} is wrong"}}'

    assert hide_key(KEY, said) == '{"error": "Bearer [key] is wrong"}'


@settings(deadline=None)
@given(KEYS, st.sampled_from([str, slashed, numbered, mixed]), st.integers(0, 3))
def test_any_key_is_hidden_however_deep_in_json(key: str, escape: Escape, depth: int) -> None:
    said = escape(key)
    for _ in range(depth):
        said = slashed(said)

    assert hide_key(key, f"«{said}»") == "«[key]»"


def test_other_text_stays_as_it_is() -> None:
    for said in ("", "sk-a/b_", "\\\\\\u0041%41&#65;", "naïve 日本語"):
        assert hide_key(KEY, said) == said
        assert hide_key(None, said) == said


@pytest.mark.parametrize("text", ["\\" * 10**6, "%25" * 300_000, "&#0000" * 160_000, "s" * 10**6])
def test_a_long_answer_is_looked_at_in_time_that_fits_its_length(text: str) -> None:
    start = time.monotonic()

    assert hide_key("s" * 40 + "-end", text) == text
    assert time.monotonic() - start < 20


def test_urls_lose_their_passwords() -> None:
    url = "pip: https://me:pass@word@index.example.org/simple failed, see http://x.org/a@b"

    assert without_credentials(url) == (
        "pip: https://index.example.org/simple failed, see http://x.org/a@b"
    )
