"""Lexicons: kinds of phrases as regular expressions, in files that a reviewer can read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from pydantic import Field, TypeAdapter

from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.table import Text, text_finding
from pipeline.config import Section
from pipeline.records import NonBlank
from pipeline.yaml_files import read_yaml

LEXICONS = Path(__file__).parent / "lexicons"


@dataclass(frozen=True)
class Rule:
    """One kind of phrase: `patterns` are alternatives, matched without regard to case.

    A blank in a pattern stands for any white space; typographic apostrophes count as plain ones.
    """

    name: str
    patterns: tuple[str, ...]
    explanation: str
    severity: Severity = Severity.WARNING

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """All patterns as one."""
        spaced = (one.replace(" ?", r"\s*").replace(" ", r"\s+") for one in self.patterns)
        return re.compile("|".join(spaced), re.IGNORECASE)


class _Entry(Section):
    explanation: NonBlank
    severity: Severity = Severity.WARNING
    patterns: tuple[NonBlank, ...] = Field(min_length=1)


@cache
def load_rules(lexicon: str, detector: str) -> tuple[Rule, ...]:
    """Return the rules of `detector` from `lexicons/<lexicon>.yaml`."""
    found = read_yaml(LEXICONS / f"{lexicon}.yaml")
    entries = TypeAdapter(dict[str, dict[str, _Entry]]).validate_python(found)
    return tuple(
        Rule(name, entry.patterns, entry.explanation, entry.severity)
        for name, entry in entries[detector].items()
    )


@cache
def load_words(name: str) -> frozenset[str]:
    """Return the list `name` of `lexicons/words.yaml`, in lower case."""
    return frozenset(str(read_yaml(LEXICONS / "words.yaml")[name]).split())


def straight(text: str) -> str:
    """Return `text`, as long as before, with typographic apostrophes and quotes made plain."""
    return text.translate(_STRAIGHT)


_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"'})


def match_rules(
    texts: Iterable[Text],
    rules: Sequence[Rule],
    *,
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
                    rule.severity,
                    explanation=rule.explanation,
                    action=action,
                    span=match.span(),
                )
            )
    by_rule: dict[str, Figure] = {rule.name: counts[rule.name] for rule in rules}
    return Detection(findings, {"by_rule": by_rule}, rows)
