"""What a teacher model leaves in its replies, and a student would learn to say."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.patterns import load_rules, match_rules, straight
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.near_duplicates import normalise
from pipeline.text.words import count_words


def refusals(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report refusals and canned answers in replies."""
    return match_rules(
        table.listener_texts,
        load_rules("teacher_artefacts", "refusals"),
        action="Ask the teacher again, or drop the reply.",
    )


def self_reference(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies in which the writer speaks of itself as a machine."""
    return match_rules(
        table.listener_texts,
        load_rules("teacher_artefacts", "self_reference"),
        action="Drop the reply: a listener does not speak of its training.",
        # "As an AI" in an answer to a question about AI is about the subject.
        keep=lambda text, _match: not re.search(r"\b(ai|chatbot|robot)s?\b", text.heard.lower()),
    )


def prompt_echo(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies that repeat the task, its definitions, or eight words of a known prompt."""
    found = match_rules(
        table.listener_texts,
        load_rules("teacher_artefacts", "prompt_echo"),
        action="Parse the completion again, or drop it.",
        # Who is asked to count words speaks of them.
        keep=lambda text, match: (
            "word" not in match.group().lower() or "word" not in text.heard.lower()
        ),
    )
    prompts = set()
    for prompt in settings.prompt_texts:
        words = normalise(prompt).split()
        prompts |= {" ".join(words[at : at + 8]) for at in range(len(words) - 7)}
    echoes: list[Finding] = []
    for text in table.listener_texts if prompts else ():
        words = normalise(text.text).split()
        hit = next(
            (
                run
                for at in range(len(words) - 7)
                if (run := " ".join(words[at : at + 8])) in prompts
            ),
            None,
        )
        if hit:
            echoes.append(
                text_finding(
                    text,
                    Severity.WARNING,
                    explanation=f"Eight words of our own prompt: {hit!r}.",
                    action="Parse the completion again, or drop it.",
                )
            )
    return Detection([*found.findings, *echoes], found.figures, found.rows_checked)


def preambles(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report openings and endings of a letter or an assistant around the reply."""
    return match_rules(
        table.listener_texts,
        load_rules("teacher_artefacts", "preambles"),
        action="Cut the frame off, or drop the reply.",
        keep=_is_frame,
    )


_GREETS = re.compile(
    r"^\W*(hi|hello|hey|greetings|good (morning|evening|afternoon))\b", re.IGNORECASE
)
_WRITE = r"(write|draft|compose|create|generate|design|say|tell me|give me|call me|introduce)"
_ASKED_FOR = re.compile(
    rf"^\W*((can|could) you |please |help me )*{_WRITE}\b|\b(jokes?|insults?|rudest)\b|"
    rf"\b{_WRITE}\b[^.!?]{{0,60}}\b(letters?|e-?mails?|cards?|tweets?|dialogues?|headlines?)\b",
    re.IGNORECASE,
)


def _is_frame(text: Text, match: re.Match[str]) -> bool:
    """Whether it frames a reply; a greeting greeted back and a letter asked for do not."""
    said = text.prompt or ""
    if match.start() > 0 or match.group().lstrip().lower().startswith(('"', "dear")):
        return not _ASKED_FOR.search(said[-400:])
    return not (_GREETS.match(match.group()) and _GREETS.match(said) and count_words(said) <= 4)


def formatting(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report Markdown and lists, which people do not write in a chat about feelings."""
    return match_rules(
        table.listener_texts,
        load_rules("teacher_artefacts", "formatting"),
        action="Ask for plain sentences, or rewrite it.",
    )


def fabricated_experience(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report a model's first-person memories and relatives; people may well tell of theirs."""
    if not table.responders:
        raise SkippedError("no column says who wrote a reply")
    texts = [text for text in table.listener_texts if settings.is_model(text.responder)]
    if not texts:
        raise SkippedError("no reply is by a model (audit.human_responders)")

    def is_own(text: Text, match: re.Match[str]) -> bool:
        before = straight(text.text)[max(0, match.start() - 45) : match.start()].lower()
        return not re.search(
            r"(\"|\bif |imagine |as if |you (might|may|could|can) (say|think)|feel like |oh,? )$",
            before,
        )

    return match_rules(
        texts,
        load_rules("teacher_artefacts", "fabricated_experience"),
        action="Drop it: a listener must not invent a past.",
        keep=is_own,
    )


def stock_openers(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report the first four words with which a responder begins too many of its replies."""
    openers: dict[str, Counter[str]] = defaultdict(Counter)
    for text in table.listener_texts:
        words = normalise(straight(text.text).replace("'", "")).split()
        if len(words) >= 5:
            openers[text.responder or "all"][" ".join(words[:4])] += 1
    findings = []
    figures: dict[str, Figure] = {}
    for responder, counts in sorted(openers.items()):
        total = counts.total()
        if total < 50:
            continue
        figures[responder] = {
            opener: round(times / total, 4) for opener, times in counts.most_common(5)
        }
        findings += [
            Finding(
                severity=Severity.WARNING,
                responder=None if responder == "all" else responder,
                evidence=opener,
                excerpt=opener,
                score=round(times / total, 4),
                explanation=f"{times} of {total} replies ({times / total:.1%}) begin {opener!r}.",
                action="Vary the prompt, or sample fewer of them: a student copies openers first.",
            )
            for opener, times in counts.most_common(20)
            if times / total >= settings.opener_share
        ]
    if not figures:
        raise SkippedError("under 50 replies of any responder")
    return Detection(findings, {"top_openers": figures}, len(table.listener_texts))


DETECTORS = {
    "refusals": Detector("teacher artefacts", refusals),
    "self_reference": Detector("teacher artefacts", self_reference),
    "prompt_echo": Detector("teacher artefacts", prompt_echo),
    "preambles": Detector("teacher artefacts", preambles),
    "stock_openers": Detector("teacher artefacts", stock_openers),
    "fabricated_experience": Detector("teacher artefacts", fabricated_experience),
    "formatting": Detector("teacher artefacts", formatting),
}
