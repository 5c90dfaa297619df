"""Texts in another language or script than the table."""

from __future__ import annotations

import re
from collections import Counter

from pipeline.audit.detector import Detector
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.patterns import load_words
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.text.languages import language_of

_LETTER = re.compile(r"[^\W\d_]")


def wrong_language(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts in another language or script than most of the table."""
    texts = [text for text in table.texts if len(_LETTER.findall(text.text[:400])) >= 20]
    main = _main_language(texts)
    findings: list[Finding] = []
    for text in texts:
        start = text.text[:400]
        letters = _LETTER.findall(start)
        foreign = sum(ord(letter) > 0x24F for letter in letters) / len(letters)
        if main == "en" and foreign < 0.3 and _looks_english(start):
            continue
        language, share = language_of(start)
        if language != main and (share > 0.95 or foreign >= 0.3):
            findings.append(
                text_finding(
                    text,
                    Severity.WARNING,
                    explanation=f"Reads as {language!r}; most of the table is {main!r}.",
                    action="Check it; drop or translate it.",
                    score=share,
                )
            )
    return Detection(findings, {"main_language": main}, len(texts))


def _looks_english(text: str) -> bool:
    """Whether enough of the words are common function words: then no model need be asked."""
    words = text.lower().replace("’", "'").split()
    return sum(
        word.strip('.,!?;:"') in load_words("english_function_words") for word in words
    ) >= max(2, 0.2 * len(words))


def _main_language(texts: list[Text]) -> str:
    sample = texts[:: max(1, len(texts) // 200)]
    counts = Counter(language_of(text.text[:400])[0] for text in sample)
    return counts.most_common(1)[0][0] if counts else "unknown"


DETECTORS = {
    "wrong_language": Detector("text integrity", wrong_language),
}
