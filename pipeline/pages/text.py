"""Text from data, made safe to look at.

Escaping for HTML is the template's work (autoescape). This is for what escaping leaves dangerous:
characters that turn the reading order around, hide, or are no text at all.
"""

from __future__ import annotations

import re

# Controls but tab and line ends, joiners and marks without width, bidirectional controls, lone
# surrogates, the byte-order mark and non-characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return `text` with every unseen or unencodable character spelled out, as in ⟨U+202E⟩."""
    return _UNSEEN.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text)


def shortened(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text` and say how many were left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} … (+{len(text) - limit:,} characters)"
