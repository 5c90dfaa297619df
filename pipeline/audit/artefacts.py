"""What a teacher model leaves in its replies, and a student would learn to say."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from pipeline.audit.finding import Finding, Severity
from pipeline.audit.patterns import Rule, match_rules, straight
from pipeline.audit.result import Detection, Figure
from pipeline.audit.run import SkippedError
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.near_duplicates import normalise

_REFUSALS = (
    Rule(
        "refusal",
        r"\bi('m| am)( (very|really|so|truly))? (sorry|afraid),?( but)?( that)? i('m not able to| am not "
        r"able to| am unable to|'m unable to| can't| cannot| can not| won't be able to) (help|assist|"
        r"provide|answer|discuss|do|continue|respond|fulfil|comply|engage|offer|give|generate|"
        r"support|share|talk)|\bi('m| am) (unable|not able) to (provide|offer|assist|help you with|"
        r"help with|give|fulfil|comply|engage|answer|discuss|create|generate)|\bi (can't|cannot|can "
        r"not) (assist|fulfil|comply|provide (you with |the |any |that |help|support|advice)|"
        r"engage in|generate|create content|help (you )?with (that|this))|\bi must (decline|refuse)"
        r"|\bi (will not|won't) (assist|fulfil|comply|provide|help you with|engage)|\b(goes "
        r"against|violates?) (my|the|our) (programming|guidelines|policy|policies)|\bnot (able|"
        r"allowed|permitted) to (provide|give) (medical|legal|mental health) advice",
        "Refuses what was asked.",
    ),
    Rule(
        "canned answer",
        r"\bis there anything (else|specific) (that )?(i|you)( can|'d| would)? (help|assist|like)|"
        r"\bhow (can|may) i (assist|help) you( today)?\b|\b(feel free|don't hesitate|do not "
        r"hesitate) to (ask|reach out|contact)\b[^.!?]{0,40}\b(questions|further|assistance)",
        "A help desk's phrase, not an answer to this speaker.",
        Severity.INFO,
    ),
)


def refusals(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report refusals and canned answers in replies."""
    return match_rules(
        table.listener_texts,
        _REFUSALS,
        detector="refusals",
        action="Ask the teacher again, or drop the reply.",
    )


_MODEL = (
    r"(large )?(language model|ai|a\.i\.|artificial intelligence|chat ?bot|virtual assistant|"
    r"(computer|text) program|machine|llm|text-based ai)"
)
_SELF = (
    Rule(
        "names itself a model",
        rf"\b(as|i'm|i am|being|i'm just|i am just|i'm only|i am only)( just| only| merely)? (an?|your) "
        rf"([a-z-]+ )?{_MODEL}\b|\bmy (training data|programming|developers|knowledge cut-?off)\b|"
        r"\bi was (trained|created|developed|made) by (openai|meta|google|anthropic|mistral)|"
        r"\b(openai|chatgpt|gpt-?[345]\b|anthropic|llama-?[23]\b|mixtral|claude ai|google bard)",
        "Speaks of itself as a model.",
    ),
    Rule(
        "denies having a life",
        r"\bi (don't|do not|can't|cannot|lack|am not able to|am not capable of|'m not capable of) "
        r"(have |experience |feel |having |feeling |experiencing |truly |actually |physically )*"
        r"(personal (experience|feeling|emotion|opinion|belief|preference)s?|human (emotion|"
        r"feeling|experience)s?|emotions? (like|as|the way)|physical (body|form))",
        "Says that it has no feelings or experiences.",
    ),
)


def self_reference(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies in which the writer speaks of itself as a machine."""
    return match_rules(
        table.listener_texts,
        _SELF,
        detector="self_reference",
        action="Drop the reply: a listener does not speak of its training.",
        # "As an AI" in an answer to a question about AI is about the subject.
        keep=lambda text, _match: (
            not re.search(r"\b(ai|chatbot|robot)s?\b", (text.prompt or "").lower())
        ),
    )


_ECHO = (
    Rule(
        "instruction",
        r"\bhere('s| is) (a|an|the|my) (\w+ ){0,3}(response|reply|rewrite|version|revision)\b|"
        r"\b(improved|revised|rewritten|empathetic|empathic|initial|original) (response|reply)( |:)|"
        r"^\W*(response|reply|assistant|ai|chatbot|listener|output|answer) ?(\d ?)?:|"
        r"\b(speaker utterance|the (speaker|listener|user)('s)? (utterance|response|message|says)|"
        r"in \d+ words|word (count|limit)|\(\d+ words\))|\bas per (your|the) (instruction|request)s?",
        "Repeats words of the task instead of answering.",
    ),
    Rule(
        "definition",
        r"\b(cognitive|affective|compassionate|emotional) empathy\b|\bempathy (is|means|refers to) "
        r"(the|being|our|an) ",
        "Recites a definition of empathy.",
    ),
)


def prompt_echo(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies that repeat the task, its definitions, or eight words of a known prompt."""
    found = match_rules(
        table.listener_texts,
        _ECHO,
        detector="prompt_echo",
        action="Parse the completion again, or drop it.",
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
                    "prompt_echo",
                    Severity.WARNING,
                    explanation=f"Eight words of our own prompt: {hit!r}.",
                    action="Parse the completion again, or drop it.",
                )
            )
    return Detection([*found.findings, *echoes], found.figures, found.rows_checked)


_FRAMES = (
    Rule(
        "preamble",
        r"^\W*(sure( thing)?|certainly|of course|absolutely|okay|ok|great question)[,!.:]? ?(here|i('d| "
        r"would) be (happy|glad)|i can (help|certainly)|let me (help|provide|offer|rephrase))|"
        r"^\W*(dear|hello|hi|hey|greetings) (\[[^\]]+\]|friend|user|speaker|there, (i|thank))|"
        r"^\W*(thank you|thanks) for (reaching out|your (message|question|inquiry))",
        "Opens like a letter or an assistant.",
    ),
    Rule(
        "sign-off",
        r"\b(best regards|kind regards|warm regards|sincerely|yours truly|warmly|take care and)\b"
        r"[,.]?\W*(\[[^\]]*\]|\w+)?\W*$|\bp\.s\.|\[your name\]",
        "Ends like a letter.",
    ),
    Rule(
        "quoted whole",
        r'^ ?"[^"]{20,}" ?$',
        "The whole reply stands in quotation marks.",
        Severity.INFO,
    ),
)


def preambles(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report openings and endings of a letter or an assistant around the reply."""
    return match_rules(
        table.listener_texts,
        _FRAMES,
        detector="preambles",
        action="Cut the frame off, or drop the reply.",
    )


_FORMAT = (
    Rule("heading", r"(?m)(?:^|\n)#{1,4} \w", "A Markdown heading in chat."),
    Rule(
        "list",
        r"(?m)(?:^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+\S[^\n]*\n?[ \t\n]*){2,}",
        "A list in chat.",
    ),
    Rule("emphasis", r"\*\*[^*\n]{2,80}\*\*|__[^_\n]{2,80}__|```", "Markdown marks in chat."),
    Rule("inline list", r"(?<!\d)1[.)] ?[a-z][^\n]{3,300}?(?<!\d)2[.)] ?[a-z]", "A list in chat."),
)


def formatting(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report Markdown and lists, which people do not write in a chat about feelings."""
    return match_rules(
        table.listener_texts,
        _FORMAT,
        detector="formatting",
        action="Ask for plain sentences, or rewrite it.",
    )


_LIVED = (
    Rule(
        "personal history",
        r"\bi('ve| have)( also| actually| personally)? (been (there|through (that|this|it|something|a similar|the same))|"
        r"(had|gone through|experienced|felt|dealt with|struggled with) (a |the |some |my "
        r"|that |this )?(same|similar|share|exact|own)\b)|\b(when i was (a|in|your|young|growing)|back "
        r"when i was|i (once|recently|just) (had|went|bought|lost|got|did|was|visited|ate|felt)|i "
        r"remember (when|how|my|the time|feeling|being|going)|i used to|i grew up|i('m| am) (also|"
        r"personally) (a|an|scared|afraid) |(last|this past) (week|month|year|summer|night|weekend)"
        r",? i |i (too|myself) (have|had|am|was|went|felt|struggle))",
        "A model tells of a life that it has not had.",
    ),
    Rule(
        "family and body",
        r"\bmy (own )?(mom|mother|dad|father|parents?|wife|husband|son|daughter|kids?|children|"
        r"brother|sister|grandm\w+|grandp\w+|dog|cat|boss|girlfriend|boyfriend|childhood|"
        r"neighbou?rs?|job|house|car|best friend|friends?)\b",
        "A model speaks of people, things or a body that it does not have.",
    ),
)


def fabricated_experience(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report a model's first-person memories and relatives; people may well tell of theirs."""
    if not table.responders:
        raise SkippedError("no column says who wrote a reply")
    texts = [
        text
        for text in table.listener_texts
        if text.responder and _is_model(text.responder, settings)
    ]
    if not texts:
        raise SkippedError("no reply is by a model (audit.human_responders)")

    def is_own(text: Text, match: re.Match[str]) -> bool:
        before = straight(text.text)[max(0, match.start() - 45) : match.start()].lower()
        return not re.search(
            r"(\"|\bif |imagine |as if |you (might|may|could|can) (say|think)|feel like |oh, |oh )$",
            before,
        )

    return match_rules(
        texts,
        _LIVED,
        detector="fabricated_experience",
        action="Drop it: a listener must not invent a past.",
        keep=is_own,
    )


def _is_model(responder: str, settings: AuditSettings) -> bool:
    if responder in ("chosen", "rejected"):
        return False
    return responder.lower() not in settings.human_responders


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
                detector="stock_openers",
                severity=Severity.WARNING,
                responder=None if responder == "all" else responder,
                evidence=opener,
                excerpt=opener,
                score=round(times / total, 4),
                explanation=f"{times} of {total} replies ({times / total:.1%}) begin so.",
                action="Vary the prompt, or sample fewer of them: a student copies openers first.",
            )
            for opener, times in counts.most_common(20)
            if times / total >= settings.opener_share
        ]
    if not figures:
        raise SkippedError("under 50 replies of any responder")
    return Detection(findings, {"top_openers": figures}, len(table.listener_texts))
