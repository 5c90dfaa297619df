"""Advice without permission, confrontation and warning: what MITI and MISC count against a reply.

The cues are words, not a coder: they point at replies to look at, and make no competence claim.
"""

from __future__ import annotations

import re
from collections import Counter

from pipeline.audit.finding import Severity
from pipeline.audit.patterns import Rule, match_rules, straight
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text

_RULES = (
    Rule(
        "advice without permission",
        r"\byou (really |definitely |probably |just )?(should|ought to|need to|have to|must|had "
        r"better|'d better)( (really|definitely|probably|just|maybe|at least|try to|consider))? "
        r"(?!be (so|very|really|feeling|proud|happy|excited|thrilled|devastated|sad|tired)|have "
        r"(been|felt|had|seen|loved)|feel|miss|love|know how|admit|say|hate|wonder)\w+|"
        r"\bwhy (don't|not) you\b|\bif i were you\b|\b(my advice|i (would |'d )?(suggest|recommend|"
        r"advise)|i think you should)\b|(?:^|[.!?] )(try|consider|make sure|remember|don't forget|"
        r"talk|tell|ask|call|go|get|take|find|stop|start|just) (to |about |that |out |him |her |them "
        r"|your |some |a |the |not |\w+ing )",
        "Tells the speaker what to do without asking.",
        Severity.INFO,
    ),
    Rule(
        "confront",
        r"\b(that's|it's|this is|it is|that is) (all |entirely |partly |probably )?your (own )?fault|"
        r"\byou (should have|should've|shouldn't have|ought to have) (known|thought|done|been more|"
        r"listened|told|asked|checked|left|said|planned)|\byou('re| are) (being |just |really |so )?"
        r"(overreacting|dramatic|selfish|lazy|ridiculous|irrational|paranoid|stupid|childish|"
        r"ungrateful|too sensitive|in denial|making excuses)|\bwhat did you expect|\bi told you so|"
        r"\bhow could you|\bwhat were you thinking|\byou brought (this|it) on yourself|\bstop "
        r"(complaining|whining|making excuses|feeling sorry)|\bit's not that (bad|big)|\bgrow up\b|"
        r"\bshame on you|\bare you sure you (didn't|aren't|weren't)\b",
        "Blames, shames or disputes.",
    ),
    Rule(
        "warn",
        r"\bif you (don't|do not|keep|continue)\b[^.!?]{3,80}\b(will|'ll|won't|going to|might|could|"
        r"may) (get|lose|end|regret|be|hurt|have|become|never|suffer|fail|die|happen)|\b(you will|"
        r"you'll|you're going to) (regret|lose|end up|be sorry|get (hurt|caught|fired|sick))|\bor "
        r"else\b|\byou('d| had) better (not|watch|be careful)",
        "Threatens with what will happen.",
    ),
)
_PERMISSION = re.compile(
    r"\b((if|would|do) you('d)? (like|want|mind|be open|be interested|feel comfortable)|may i|can i "
    r"(suggest|offer|share)|would it be (ok|okay|alright|helpful)|is it (ok|okay)|if (it|that)('s| "
    r"is| would be) (ok|okay|helpful|useful)|it's (up to you|your (choice|decision)))",
    re.IGNORECASE,
)
_HARSH_CODES = ("Advise without Permission", "Confront", "Direct", "Warn")


def miti_inconsistent(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report cues of advice without permission, confront and warn; count their codes too."""

    def unasked(text: Text, match: re.Match[str]) -> bool:
        return not _PERMISSION.search(
            straight(text.text)[max(0, match.start() - 120) : match.end()]
        )

    found = match_rules(
        table.listener_texts,
        _RULES,
        detector="miti_inconsistent",
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
