"""A key is found in what a server says, however it was escaped on its way."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.addresses import hide_key, without_credentials

KEY = 'sk-a/b_"Canary"42.=+'
Escape = Callable[[str], str]
KEYS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\"),
    min_size=8,
    max_size=60,
).filter(lambda key: not key.isalpha())


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


def in_json(text: str) -> str:
    return text.replace("&", "\\u0026")


def named(text: str) -> str:
    names = {"_": "lowbar", "+": "plus", "/": "sol", ".": "period", "=": "equals", '"': "quot"}
    return "".join(f"&{names[sign]};" if sign in names else sign for sign in text)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def quoted(text: str, times: int) -> str:
    for _ in range(times):
        text = quote(text, safe="") if "%" in text else "".join(f"%{ord(s):02X}" for s in text)
    return text


@pytest.mark.parametrize(
    "escape",
    [
        lambda text: in_json("".join(f"&#{ord(sign)};" for sign in text)),
        lambda text: in_json(text.replace("+", "&#43;")),
        lambda text: html.escape(html.escape(html.escape(text))),
        lambda text: text.replace("_", "&#95"),
        named,
        lambda text: in_json(html.escape(named(text))),
        lambda text: quoted(html.escape(named(text)), 3),
        lambda text: quoted(text, 9),
        lambda text: text.encode().hex(),
        lambda text: text.encode().hex().upper(),
        in_base64,
        lambda text: in_base64(f":{text}"),
        lambda text: in_base64(f"me:{text}\n"),
        lambda text: in_base64(f"user:{text} and more"),
        lambda text: slashed(in_base64(f":{text}")),
        lambda text: quote(in_base64(f":{text}"), safe=""),
        lambda text: base64.urlsafe_b64encode(f">>{text}??".encode()).decode(),
    ],
)
def test_what_shows_a_key_in_a_way_of_its_own_is_left_out(escape: Escape) -> None:
    said = hide_key(KEY, f'{{"error": "Authorization: Basic {escape(KEY)}"}}')

    assert said == "[key] (what the server said held the key, so all of it is left out)"


@settings(deadline=None)
@given(
    KEYS.filter(lambda key: "%" not in key and "&" not in key),
    st.lists(
        st.sampled_from([slashed, numbered, in_json, named, html.escape, lambda t: quoted(t, 1)]),
        max_size=6,
    ),
    st.sampled_from([str, in_base64, lambda text: text.encode().hex()]),
)
@example("ab%41c&lt;d%2541", [numbered, lambda text: quoted(text, 1)], str)
def test_any_key_is_found_under_any_layers(key: str, layers: list[Escape], inmost: Escape) -> None:
    said = inmost(key)
    for escape in layers:
        said = escape(said)

    assert hide_key(key, f"«{said}»") in ("«[key]»", hide_key(KEY, KEY.encode().hex()))


@pytest.mark.parametrize("key", ["x", "1", "test", "EMPTY", "content", "assistant", "sk-none"])
def test_a_key_that_is_no_secret_changes_no_answer(key: str) -> None:
    said = f'{{"choices": [{{"message": {{"content": "A {key} 1, an extest"}}}}]}}'

    assert hide_key(key, said) == said


def test_other_text_stays_as_it_is() -> None:
    for said in ("", "sk-a/b_", "\\\\\\u0041%41&#65;", "naïve 日本語"):
        assert hide_key(KEY, said) == said
        assert hide_key(None, said) == said


@pytest.mark.parametrize(
    "text", ["\\" * 10**6, "%25" * 300_000, "&amp;" * 200_000, "&#0000" * 160_000, "s" * 10**6]
)
def test_a_long_answer_is_looked_at_in_time_that_fits_its_length(text: str) -> None:
    start = time.monotonic()

    assert hide_key("s" * 40 + "-end", text) == text
    assert time.monotonic() - start < 20


def test_urls_lose_their_passwords() -> None:
    url = "pip: https://me:pass@word@index.example.org/simple failed, see http://x.org/a@b"

    assert without_credentials(url) == (
        "pip: https://index.example.org/simple failed, see http://x.org/a@b"
    )
