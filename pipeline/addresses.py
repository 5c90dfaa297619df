"""Addresses of servers and the keys to them: what may be called, and what must not be shown."""

from __future__ import annotations

import html
import ipaddress
import re
from urllib.parse import urlsplit

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")


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
    r"""Return `text` with `[key]` for the key, however often it was escaped on its way.

    A server may echo a key as JSON (`\/`, `\u0041`), as JSON within JSON, or as part of a URL
    or of a page. A key is of ASCII characters; backslashes next to each other are in none.
    """
    return _forms(key).sub("[key]", text) if key else text


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
