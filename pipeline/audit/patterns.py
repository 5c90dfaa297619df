"""Rules that are regular expressions: a name, what is looked for, what to say and to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.table import Text, text_finding


@dataclass(frozen=True)
class Rule:
    """One kind of phrase; `pattern` is matched without regard to case, typographic ' as '."""

    name: str
    pattern: str
    explanation: str
    severity: Severity = Severity.WARNING

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The compiled pattern; spaces in it stand for any white space."""
        return re.compile(self.pattern.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


def straight(text: str) -> str:
    """Return `text`, as long as before, with typographic apostrophes and quotes made plain."""
    return text.translate(_STRAIGHT)


_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"'})


def match_rules(
    texts: Iterable[Text],
    rules: Sequence[Rule],
    *,
    detector: str,
    action: str,
    keep: Callable[[Text, re.Match[str]], bool] = lambda _text, _match: True,
) -> Detection:
    """Return one finding per text and rule, at the first match that `keep` accepts."""
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    rows = 0
    for text in texts:
        rows += 1
        plain = straight(text.text)
        for rule in rules:
            match = next((one for one in rule.regex.finditer(plain) if keep(text, one)), None)
            if match is None:
                continue
            counts[rule.name] += 1
            findings.append(
                text_finding(
                    text,
                    detector,
                    rule.severity,
                    explanation=rule.explanation,
                    action=action,
                    span=match.span(),
                )
            )
    by_rule: dict[str, Figure] = {rule.name: counts[rule.name] for rule in rules}
    return Detection(findings, {"by_rule": by_rule}, rows)
