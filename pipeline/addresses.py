"""Addresses of servers and the keys to them: what may be called, and what must not be shown."""

from __future__ import annotations

import base64
import html
import ipaddress
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")


_LEFT_OUT = "[key] (what the server said held the key, so all of it is left out)"
_MOST_LAYERS = 32
_BACKSLASHES = re.compile(r"\\++(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))?")


def check_url(url: str, *, name: str, key_place: str, allowed: bool, allow: str) -> None:
    """Raise ValueError unless `url` may carry a key: https, or http on this machine.

    Plain http to another machine must be `allowed`. `name` is what the user calls the address,
    `key_place` says where a key belongs, `allow` how to allow http. No message repeats a secret.
    """
    # A slash in a password ends the host early: what an @ anywhere follows may be a secret.
    if not url.isprintable() or any(sign in url for sign in "@?#"):
        raise ValueError(f"{name} must not carry credentials; {key_place}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https") or port == 0:
        raise ValueError(f"{name} must be http(s)://host…")
    if parts.scheme == "http" and not is_loopback(host) and not allowed:
        raise ValueError(
            f"{name} is http:// to {host}: texts and key would travel in the clear; "
            f"use https:// or {allow}"
        )


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def without_credentials(text: str) -> str:
    """Return `text` without the user names and passwords of the URLs in it."""
    return _CREDENTIALS.sub("", text)


def is_key(text: str) -> bool:
    """Whether `text` can be sent as a key, and found again in what a server says."""
    return text.isascii() and text.isprintable() and "\\" not in text


def hide_key(key: str | None, text: str) -> str:
    r"""Return `text` without the key, however often it was escaped on its way.

    `[key]` stands for a key as it is, as in JSON (`\/`, `\u0041`), JSON within JSON, a URL or a
    page. A text that shows it in another way, as escapes of several kinds within each other, Base64
    or hexadecimal, is left out as a whole. A key is of ASCII characters without backslashes.

    What has fewer than 8 characters, or is one word of fewer than 16 letters, is no secret but
    what a server that checks no key is sent (`EMPTY`, `test`, `content`): it is not looked for,
    since it would be found in the words of good answers.
    """
    if not key or len(key) < 8 or (key.isalpha() and len(key) < 16):
        return text
    text = _forms(key).sub("[key]", text)
    return _LEFT_OUT if _shows(key, text) else text


def _shows(key: str, text: str) -> bool:
    """Whether `text`, or what it stands for, holds the key."""
    decoders: list[Callable[[str], str]] = [str, _without_backslashes, html.unescape, unquote]
    traces, in_hex = {key, *_in_base64(key)}, key.encode().hex()
    for _ in range(_MOST_LAYERS):
        outer = text
        # Looked at after each, as a key may itself look escaped.
        for decode in decoders:
            text = decode(text)
            if any(trace in text for trace in traces) or in_hex in text.lower():
                return True
        if text == outer:
            return False
    return True  # escaped more often than anything honest


def _without_backslashes(text: str) -> str:
    return _BACKSLASHES.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else ""


def _in_base64(key: str) -> Iterator[str]:
    """Yield what Base64 makes of the key wherever in a text it stands, without what is around."""
    for before, shared in enumerate((0, 2, 3)):
        content = b" " * before + key.encode()
        whole = len(content) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(content).decode()[shared:whole]


def _forms(key: str) -> re.Pattern[str]:
    return re.compile("".join(map(_forms_of_sign, key)))


def _forms_of_sign(sign: str) -> str:
    # Backslashes are taken at once and not given back: a text made of them costs no more time.
    if sign == "\\":
        return r"\\{1,16}+"
    number = ord(sign)
    code = f"(?i:{number:02x})"
    forms = [
        rf"\\{{1,16}}+(?:u00|x){code}",
        rf"\\{{0,16}}+{re.escape(sign)}",
        rf"%(?:25){{0,3}}+{code}",
        rf"&#(?:0{{0,4}}{number}|[xX]0{{0,4}}{code});",
    ]
    if html.escape(sign) != sign:
        forms.append(html.escape(sign))
    return f"(?:{'|'.join(forms)})"
