"""Damage to the characters: wrong decoding, left-over tokens, invisible characters, no text."""

from __future__ import annotations

import re

from pipeline.audit.detector import Detector
from pipeline.audit.finding import Severity
from pipeline.audit.patterns import load_rules, match_rules
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding

# In code, markup, escapes and names in braces are what was asked for.
_CODE = re.compile(
    r"```|#include|\bint main\b|\bdef \w+\(|^(import \w+|from \w+ import)\b|\bprint\(", re.MULTILINE
)
_ASKS_FOR_CODE = re.compile(r"\b(html|code|web ?(site|page)|form|links?|images?)\b", re.IGNORECASE)
_OF_CODE = re.compile(r"[<&\\{]|xx", re.IGNORECASE)


def _is_damage(text: Text, match: re.Match[str]) -> bool:
    if not _OF_CODE.match(match.group()):
        return True
    return not (_CODE.search(text.text) or _ASKS_FOR_CODE.search(text.heard))


def encoding_damage(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report mojibake, control characters, unread escapes and markup, and placeholder tokens."""
    from ftfy.badness import BADNESS_RE

    detection = match_rules(
        table.texts,
        load_rules("encoding", "encoding_damage"),
        action="Decode the source again, or repair the characters.",
        keep=_is_damage,
    )
    mojibake = []
    for text in table.texts:
        if text.text.isascii():
            continue
        match = BADNESS_RE.search(text.text)
        if match and _repairable(text.text):
            mojibake.append(
                text_finding(
                    text,
                    Severity.WARNING,
                    explanation="Characters of one encoding, read as another.",
                    action="Decode the source again, or repair the characters.",
                    span=match.span(),
                )
            )
    figures = {**detection.figures, "mojibake": len(mojibake)}
    return Detection([*detection.findings, *mojibake], figures, len(table.texts))


def _repairable(text: str) -> bool:
    import ftfy

    return ftfy.fix_encoding(text) != text


DETECTORS = {
    "encoding_damage": Detector("text integrity", encoding_damage),
}
