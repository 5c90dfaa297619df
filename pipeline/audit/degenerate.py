"""Texts that stop in the middle, go round in circles, or are far longer or shorter than others."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from statistics import median

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.text.words import count_words

_LETTER = re.compile(r"[^\W\d_]")
_NOTHING = {"", "nan", "none", "null", "n/a", "na", "undefined", "[]", "{}", "-", "test", "error"}


def empty_text(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts without a letter, or that only name the lack of one."""
    findings: list[Finding] = []
    for text in table.texts:
        bare = text.text.strip()
        if bare.lower() not in _NOTHING and _LETTER.search(bare):
            continue
        says_something = any(char.isdigit() or ord(char) >= 0x2190 for char in bare)
        emoticon = bool(re.search(r"[:;]-?[()DP]", bare))
        findings.append(
            text_finding(
                text,
                Severity.INFO if says_something or emoticon else Severity.CRITICAL,
                explanation=f"No words in {text.column!r}.",
                action="Drop the row, or find its text.",
            )
        )
    return Detection(findings, {}, len(table.texts))


_CLOSED = re.compile(r"[.!?…:;)\]\"'”’*~]\s*$|[^\x00-⅟]\s*$")
# Words after which an English phrase goes on, whoever wrote it.
_OPEN_END = re.compile(
    r"\b(the|(?-i:an?)|and|or|but|nor|because|although|unless|whether|my|your|our|their|his|its|very|"
    r"every|whose|you're|we're|they're|i'm|i've|you've|(?<!a )(?<!long )while|during|between|among|"
    r"despite|(think|hope|means|so) that)\s*-?\s*$|[a-z]-\s*$",
    re.IGNORECASE,
)
# People leave these at the end of a whole sentence too ("no one to turn to"); a model seldom does.
_MODELS_OPEN_END = re.compile(
    r"\b(of|to|into|with|from|by|than|as|which|is|are|was|were|be|been|i|we|he|she|they|can|could|"
    r"will|would|should|must|may|might|if|when|toward|towards|without|within|until|upon|also|that)"
    r"\s*$|,\s*$",
    re.IGNORECASE,
)


def truncation(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts that end without a mark and in the middle of a phrase."""
    findings = []
    # In a transcript of speech a dash marks who was interrupted.
    dashed = sum(text.text.rstrip().endswith(("-", "—")) for text in table.texts)
    dash_means_speech = dashed > 0.01 * len(table.texts)
    for text in table.texts:
        tail = text.text.rstrip()[-80:].replace("’", "'")
        if count_words(text.text) < 4 or _CLOSED.search(tail):
            continue
        match = _OPEN_END.search(tail)
        if match is None and settings.is_model(text.responder):
            match = _MODELS_OPEN_END.search(tail)
        if match is None or (dash_means_speech and tail.endswith("-")):
            continue
        end = len(text.text.rstrip())
        findings.append(
            text_finding(
                text,
                Severity.WARNING,
                explanation=f"Ends in {match.group().strip()!r}, in the middle of a phrase.",
                action="Ask for the reply again with more room, or drop it.",
                span=(max(0, end - 80), end),
            )
        )
    return Detection(findings, {}, len(table.texts))


# Numbers count the items of a list: without them a loop is the same again and again.
_WORD = re.compile(r"(?!\d+\b)[\w']+")
# Lists and questions share how they begin; six words in a row come again in a loop only.
_RUN = 6


def repetition(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts that say the same over and over: too many of their 6-word runs come again."""
    findings: list[Finding] = []
    for text in table.texts:
        words = _WORD.findall(text.text.lower())
        if len(words) < 2 * _RUN:
            continue
        grams = Counter(zip(*(words[at:] for at in range(_RUN)), strict=False))
        total = len(words) - _RUN + 1
        repeated = (total - len(grams)) / total
        (gram, times) = grams.most_common(1)[0]
        if repeated < settings.repetition_share:
            continue
        phrase = re.search(r"[\W\d]+".join(map(re.escape, gram)), text.text, re.IGNORECASE)
        findings.append(
            text_finding(
                text,
                Severity.WARNING,
                explanation=f"{repeated:.0%} of its 6-word runs repeat; one comes {times} times.",
                action="Drop it: a student learns to loop from it.",
                span=phrase.span() if phrase else None,
                score=repeated,
            )
        )
    return Detection(findings, {}, len(table.texts))


def length_outliers(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts far longer or shorter than the same responder's others, on a log scale."""
    groups: dict[tuple[str, str], list[Text]] = defaultdict(list)
    for text in table.texts:
        if text.text.strip():
            groups[text.speaks, text.responder or ""].append(text)
    findings: list[Finding] = []
    medians: dict[str, Figure] = {}
    for (speaks, responder), texts in sorted(groups.items()):
        if len(texts) < 20:
            continue
        logs = [math.log(count_words(text.text) + 1) for text in texts]
        middle = median(logs)
        # 1.4826 makes the median absolute deviation that of a normal distribution; a spread under
        # a tenth of the length is noise of counting.
        spread = max(0.1, 1.4826 * median(abs(value - middle) for value in logs))
        medians[responder or speaks] = round(math.exp(middle) - 1)
        for text, value in zip(texts, logs, strict=True):
            z = (value - middle) / spread
            if abs(z) < settings.length_outlier_mads:
                continue
            findings.append(
                text_finding(
                    text,
                    Severity.INFO,
                    explanation=(
                        f"{count_words(text.text)} words; the median of "
                        f"{responder or speaks} is {math.exp(middle) - 1:.0f}."
                    ),
                    action="Look at it: a reply cut short, or one that ran on.",
                    score=z,
                )
            )
    if not medians:
        raise SkippedError("under 20 texts of any responder")
    return Detection(findings, {"median_words": medians}, len(table.texts))


DETECTORS = {
    "empty_text": Detector("text integrity", empty_text),
    "truncation": Detector("text integrity", truncation),
    "repetition": Detector("text integrity", repetition),
    "length_outliers": Detector("text integrity", length_outliers),
}
