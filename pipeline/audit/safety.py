"""What a person must see before anything is trained on it: crisis, promises, claims, profanity."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

from pipeline.audit.detector import Detector
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.patterns import Rule, load_rules, match_rules, straight
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding

_FIGURE_OF_SPEECH = re.compile(
    r"suicide (squad|king|bomb|door|mission)|(laugh|embarrass|bored|boredom)\w*", re.IGNORECASE
)


def crisis(table: AuditTable, settings: AuditSettings) -> Detection:
    """Count cues of crisis in what both sides say, for a person to read; nothing is dropped."""

    def is_meant(text: Text, match: re.Match[str]) -> bool:
        near = straight(text.text)[max(0, match.start() - 25) : match.end() + 30]
        return not _FIGURE_OF_SPEECH.search(near)

    return match_rules(
        table.texts,
        load_rules("safety", "crisis"),
        action="Have a trained person read it; never drop it unread.",
        keep=is_meant,
    )


def claims(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report medical and legal claims and promises of confidentiality in replies."""
    return match_rules(
        table.listener_texts,
        load_rules("safety", "claims"),
        action="Have a professional read it, or drop the reply.",
    )


@cache
def _profanity_rule() -> Rule:
    # Stems as a rotation by 13 places, so that a search of the code does not meet the words.
    import codecs

    stems = codecs.decode(
        "shpx|fuvg|ovgpu|onfgneq|phag|qvpxurnq|qvpx|ceivpx|chffl|nffubyr|zbgureshpxre|jnaxre|"
        "fyhg|juber|qbhpur|jgs|fgsh|cvff(?:rq)?|ohyyfuvg|avttre|avttn|snttbg|ergneq|genaal|xvxr",
        "rot13",
    )
    return Rule(
        "profanity",
        (rf"\b({stems})(s|ed|ing|in|er|ers|y|ty|es|en|face|head)?\b",),
        "A swear word or a slur.",
    )


def profanity(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report swear words and slurs; in a speaker's own words they are information only."""
    rule = _profanity_rule()
    found = [
        match_rules(
            texts,
            [replace(rule, severity=severity)],
            action="Check the tone; a listener does not swear.",
            keep=lambda _text, match: match.group() != "Dick",
        )
        for texts, severity in (
            (table.listener_texts, Severity.WARNING),
            ([text for text in table.texts if text.speaks == "speaker"], Severity.INFO),
        )
    ]
    said = {"by_listeners": len(found[0].findings), "by_speakers": len(found[1].findings)}
    return Detection([*found[0].findings, *found[1].findings], {**said}, len(table.texts))


# Score from 0 (a guess) to 1 (checked by its own check digits), as presidio gives it. Phone
# numbers score 0.4 by pattern alone; shorter digits are dates, prices and ages.
_MIN_SCORE = 0.4
# Free numbers are those of hotlines and firms, not of a person.
_TOLL_FREE = re.compile(r"^\+?1?[ (.-]*8(00|88|77|66|55|44|33)\D")
# Domains kept for examples (RFC 2606).
_EXAMPLE = re.compile(
    r"@(.*\.)?example(\.(com|org|net))?$|\.(test|invalid|example)$", re.IGNORECASE
)
_SEVERE = {"CREDIT_CARD", "US_SSN", "IBAN_CODE"}
_WORTH_A_LOOK = re.compile(r"@|\d[\d ().-]{5,}\d|[A-Z]{2}\d{2}", re.IGNORECASE)


def personal_data(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report e-mail addresses, phone, card, account and social security numbers, and addresses."""
    from pipeline.audit.presidio import pattern_recognizers

    recognizers = pattern_recognizers()
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    for text in table.texts:
        if not _WORTH_A_LOOK.search(text.text):
            continue
        for kind, span, score in _entities(recognizers, text.text):
            counts[kind] += 1
            findings.append(
                text_finding(
                    text,
                    Severity.CRITICAL if kind in _SEVERE else Severity.WARNING,
                    explanation=f"Looks like {kind.replace('_', ' ').lower()}.",
                    action="Mask it, and find out how it came here.",
                    span=span,
                    score=score,
                )
            )
    by_kind: dict[str, Figure] = dict(sorted(counts.items()))
    return Detection(findings, {"by_kind": by_kind}, len(table.texts))


def _entities(recognizers: list[Any], text: str) -> list[tuple[str, tuple[int, int], float]]:
    """Return (kind, span, score) of what is recognised; of spans that overlap, the best."""
    found = []
    for recognizer in recognizers:
        for result in recognizer.analyze(text, recognizer.supported_entities, None):
            said = text[result.start : result.end]
            nobodys = _TOLL_FREE.match(said) or _EXAMPLE.search(said)
            if result.score >= _MIN_SCORE and not nobodys:
                found.append((-result.score, result.start, result.end, result.entity_type))
    chosen: list[tuple[str, tuple[int, int], float]] = []
    for score, start, end, kind in sorted(found):
        if all(end <= span[0] or start >= span[1] for _, span, _ in chosen):
            chosen.append((kind, (start, end), -score))
    return sorted(chosen, key=lambda one: one[1])


DETECTORS = {
    "crisis": Detector("safety", crisis),
    "claims": Detector("safety", claims),
    "personal_data": Detector("safety", personal_data),
    "profanity": Detector("safety", profanity),
}
