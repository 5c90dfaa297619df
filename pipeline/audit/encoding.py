"""Damage to the characters: wrong decoding, left-over tokens, invisible characters, no text."""

from __future__ import annotations

import re

from pipeline.audit.finding import Finding, Severity
from pipeline.audit.patterns import Rule, match_rules
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, text_finding

# Reading keeps the line feed and the tab; a carriage return inside a line is left over.
_DAMAGE = (
    Rule("replacement character", r"�+", "Bytes that were no text became U+FFFD."),
    Rule("control character", r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+", "A control character."),
    Rule(
        "direction override",
        r"[‪-‮⁦-⁩]+",
        "A character that turns the direction of reading: the text is not what it shows.",
    ),
    Rule("invisible character", r"[​⁠﻿­]+", "A character that shows nothing.", Severity.INFO),
    Rule(
        "markup",
        r"&(amp|lt|gt|quot|nbsp|#\d{2,5});|</?(br|p|div|span|script|b|i|a|img)\b[^>]{0,200}>",
        "HTML that was not turned into text.",
    ),
    Rule("escape", r"(?<!\\)\\(n|r|t|u[0-9a-f]{4}|x[0-9a-f]{2})(?![a-z])", "An escape, unread."),
    Rule(
        "placeholder",
        r"_(comma|period|semicolon|colon|quote|newline|apostrophe)_"
        r"|<(unk|pad|s|/s|eos|bos|mask|url|user|name)>|\|?<\|[a-z_]{2,20}\|>"
        r"|\[(name|url|email|phone|date|address|number|redacted|removed|deleted|unk|mask|insert "
        r"[a-z ]{2,20}|your [a-z ]{2,20})\]|\{\{? ?[a-z_]{2,20} ?\}?\}|\bxx+\b(?! ?[a-z]'s)|"
        r"\blorem ipsum\b|\btodo:|\bn/a\b",
        "A token that stands for text and is none.",
    ),
)


def encoding_damage(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report mojibake, control characters, unread escapes and markup, and placeholder tokens."""
    from ftfy.badness import BADNESS_RE

    detection = match_rules(
        table.texts,
        _DAMAGE,
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
