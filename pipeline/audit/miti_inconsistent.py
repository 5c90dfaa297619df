"""Advice without permission, confrontation and warning: what MITI and MISC count against a reply.

The cues are words, not a coder: they point at replies to look at, and make no competence claim.
"""

from __future__ import annotations

import re
from collections import Counter

from pipeline.audit.detector import Detector
from pipeline.audit.patterns import load_rules, match_rules, straight
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text

_PERMISSION = re.compile(
    r"\b((if|would|do) you('d)? (like|want|mind|be open|be interested)|may i|can i "
    r"(suggest|offer|share)|would it be (ok|okay|alright|helpful)|is it (ok|okay)|if (it|that)('s| "
    r"is| would be) (ok|okay|helpful|useful)|it's (up to you|your (choice|decision)))",
    re.IGNORECASE,
)
# Who asks how, gives permission to answer.
_ASKS = re.compile(
    r"\b(how|what|which|where|who|should|any|can|could|do you|best way|why)\b[^.!]*\?|"
    r"\b(advice|suggestions?|recommend\w*|tips?|ideas?)\b|^(create|give|list|make|suggest|provide|"
    r"come up|design|describe|recommend|write|explain|tell me|choose|in relation|pick|find|name)\b",
    re.IGNORECASE,
)
_HARSH_CODES = ("Advise without Permission", "Confront", "Direct", "Warn")


def miti_inconsistent(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report cues of advice without permission, confront and warn; count their codes too."""

    def unasked(text: Text, match: re.Match[str]) -> bool:
        if _ASKS.search(straight(text.prompt or "")[-250:]):
            return False
        return not _PERMISSION.search(
            straight(text.text)[max(0, match.start() - 120) : match.end()]
        )

    found = match_rules(
        table.listener_texts,
        load_rules("empathy", "miti_inconsistent"),
        action="Ask for a reply that reflects, or asks leave before it advises.",
        keep=unasked,
    )
    coded = [text for text in table.listener_texts if text.codes]
    counts: Counter[str] = Counter(code for text in coded for code in text.codes or ())
    total = counts.total()
    shares: dict[str, Figure] = {
        code: round(counts[code] / total, 4) for code in _HARSH_CODES if total
    }
    return Detection(
        found.findings, {**found.figures, "share_of_codes": shares}, found.rows_checked
    )


DETECTORS = {
    "miti_inconsistent": Detector("empathy", miti_inconsistent),
}
