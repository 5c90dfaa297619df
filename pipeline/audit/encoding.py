"""Damage to the characters: wrong decoding, left-over tokens, invisible characters, no text."""

from __future__ import annotations

import re

from pipeline.audit.finding import Finding, Severity
from pipeline.audit.patterns import load_rules, match_rules
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, text_finding

# Reading keeps the line feed and the tab; a carriage return inside a line is left over.


def encoding_damage(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report mojibake, control characters, unread escapes and markup, and placeholder tokens."""
    from ftfy.badness import BADNESS_RE

    detection = match_rules(
        table.texts,
        load_rules("encoding", "encoding_damage"),
        detector="encoding_damage",
        action="Decode the source again, or repair the characters.",
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
                    "encoding_damage",
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


_LETTER = re.compile(r"[^\W\d_]")


def empty_text(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts without a letter or digit, or that only name the lack of one."""
    none = {"", "nan", "none", "null", "n/a", "na", "undefined", "[]", "{}", "-", "test", "error"}
    findings: list[Finding] = []
    for text in table.texts:
        bare = text.text.strip()
        if bare.lower() not in none and _LETTER.search(bare):
            continue
        digits = any(char.isdigit() for char in bare)
        findings.append(
            text_finding(
                text,
                "empty_text",
                Severity.INFO if digits or _is_emoji(bare) else Severity.CRITICAL,
                explanation=f"No words in {text.column!r}.",
                action="Drop the row, or find its text.",
            )
        )
    return Detection(findings, {}, len(table.texts))


def _is_emoji(text: str) -> bool:
    return any(ord(char) >= 0x2190 for char in text) or bool(re.search(r"[:;]-?[()DP]", text))
