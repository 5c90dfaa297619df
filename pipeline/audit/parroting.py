"""Parroting: a reply in the speaker's own words, or a task that comes back as it was set."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.patterns import load_words
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, text_finding
from pipeline.near_duplicates import normalise
from pipeline.text.words import count_words


def parroting(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies that say the speaker's own words again, and tasks handed back undone."""
    texts = [text for text in table.listener_texts if text.prompt]
    if not texts:
        raise SkippedError("no column holds what the reply answers")
    findings: list[Finding] = []
    for text in texts:
        prompt = text.prompt or ""
        reply, said = _trigrams(text.text), _trigrams(f"{text.heard} . {text.situation or ''}")
        if len(reply) < 4:
            continue
        shared = len(reply & said) / len(reply)
        if shared < settings.parroting_share:
            continue
        why = f"{shared:.0%} of the reply's 3-word runs are the speaker's own."
        if _is_task(prompt):
            if not _hands_back(text.text, text.situation or prompt):
                continue
            why = "Hands back what it was given to work on, word for word."
        elif _answers_with(text.text, prompt):
            continue
        findings.append(
            text_finding(
                text,
                Severity.WARNING,
                explanation=why,
                action="Ask the teacher again: a reflection says it in other words.",
                score=shared,
            )
        )
    return Detection(findings, {}, len(texts))


def _trigrams(text: str) -> set[tuple[str, str, str]]:
    words = normalise(text).split()
    return set(zip(words, words[1:], words[2:], strict=False))


# A right answer to a task or a question repeats its material: to sum up, to correct, to complete.
_TASK = re.compile(r"\n|\b(following|given|provided|below|your task)\b|\?\W*$", re.IGNORECASE)
# What a task begins with, or "you should", or "please".
_ORDER = re.compile(
    r"(?:^|[.!?:,] )\W*(?:please |then |(?:can|could|would|should) you (?:please )?|"
    r"you (?:should|must|have to) )*(\w+) ",
    re.IGNORECASE,
)
_TASK_HEAD = 400
_HANDED_BACK, _OF_MATERIAL = 0.9, 0.6


def _is_task(prompt: str) -> bool:
    return any(
        _TASK.search(part)
        or any(verb.lower() in load_words("task_verbs") for verb in _ORDER.findall(part))
        for part in (prompt[:_TASK_HEAD], prompt[-_TASK_HEAD:])
    )


def _hands_back(reply: str, material: str) -> bool:
    """Whether the reply ends in one run of the material, and most of both is that run.

    A changed letter is work, and so is a word put where a blank was, as at the end.
    """
    words, given = reply.split(), material.split()
    run = SequenceMatcher(None, given, words, autojunk=False).find_longest_match()
    least = max(_HANDED_BACK * len(words), _OF_MATERIAL * len(given))
    return run.size >= least and run.b + run.size == len(words)


def _answers_with(reply: str, said: str) -> bool:
    """Whether it takes up words to ask about them, to agree, or to take leave likewise."""
    asks = re.match(r"\W*(who|what|when|where|why|which|how)\b[^.!]*\?\W*$", reply, re.IGNORECASE)
    agrees = re.search(r"\b(too|as well)\W*$", reply, re.IGNORECASE)
    return bool(asks or agrees or count_words(said) < 6)


DETECTORS = {
    "parroting": Detector("empathy", parroting),
}
