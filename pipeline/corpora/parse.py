"""From a model's raw text to a response: pure, so that it can be run again for nothing.

What models put around a reply (a preamble, quotes, a fence, a closing remark) is taken off. What
cannot be made into a reply is dropped, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.text.words import count_words, runs, words_of

_WRITTEN = r"(?:improved|revised|rewritten|new|better|updated|enhanced|shorter|final|empathetic)"
_NOUN = r"(?:reply|response|version|answer|message|listener'?s (?:reply|response))"
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)
_TAGS = re.compile(r"\A<(reply|response|answer)>\s*(.*?)\s*</\1>\Z", re.DOTALL | re.IGNORECASE)
# "Sure! Here is a more empathetic version of the reply:", up to the colon or the end of its line.
_PREAMBLE = re.compile(
    r"\A(?:(?:sure|certainly|of course|absolutely|okay|ok|great)\b[^\n:]{0,40}?[,!.:]?\s*)?"
    r"(?:(?:here(?:'s| is| are)|this is|below is)\b[^\n:]{0,120}"
    rf"\b(?:{_NOUN}|rewrite|revision|attempt)\b[^\n:]{{0,120}}[:\n]"
    r"|here (?:it is|you go)[^\n:]{0,40}[:\n]"
    r"|(?:the|your) (?:listener(?:'s)? )?"
    r"(?:replied|replies|said|says|(?:new )?(?:reply|response)(?: was| is))"
    r"[^\n:]{0,40}:)\s*",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"\A(?:\*\*|#+ )?\s*(?:{_WRITTEN}(?: {_WRITTEN})? )?(?:{_NOUN}|listener|rewrite)\s*"
    r"(?:\([^)\n]{0,40}\))?\s*:\s*(?:\*\*)?\s*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    rf"\n+\s*(?:\(?word count\b|\(\d+ words\)|note:|\*+note|explanation:|let me know if|"
    rf"i hope this (?:helps|{_NOUN})|this (?:{_WRITTEN} )?(?:{_NOUN}|rewrite) |"
    rf"in this (?:{_WRITTEN} )?(?:{_NOUN}|rewrite)|"
    rf"(?:\*\*)?(?:changes|what (?:i )?changed)\b|---).*\Z",
    re.DOTALL | re.IGNORECASE,
)
_COUNT = re.compile(r"\s*[(\[]\s*(?:word count:\s*)?\d+ words?\s*[)\]]\s*\Z", re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "*": "*", "`": "`"}
# Words of the definitions in our prompts that no listener says to a person.
_DEFINITION = re.compile(
    r"\b(?:cognitive|affective|compassionate)\s+(?:side|empathy|dimension|aspect)s?\b"
    r"|\b(?:cognitive(?:ly)?,? affective|sides? of empathy|dimensions? of empathy)\b"
    r"|\(\s*(?:cognitive|affective|compassionate)\s*\)"
    r"|^\W*(?:cognitive|affective|compassionate)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_REFUSAL = re.compile(
    r"\A\W*(?:i(?:'m| am) (?:sorry|afraid)\W{0,3}(?:but )?(?:that )?)?"
    r"i(?:'m| am)?\s*(?:can(?:no|')t|cannot|won't|unable to|not able to) "
    r"(?:help|assist|fulfil|comply|provide|write|rewrite|do that|do this|generate|create)\b",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(?:as an? (?:ai|artificial intelligence|language model|llm)"
    r"|i(?:'m| am) (?:just |only )?an? "
    r"(?:ai|language model|virtual assistant|chatbot|computer program))\b",
    re.IGNORECASE,
)
_MARK_ONLY = re.compile(r"\W*</?\w+>\W*")
# A remark on the reply instead of the reply.
_REMARK = re.compile(r"\A(?:the|a) (?:listener|speaker|person|user)(?:'s)?\b", re.IGNORECASE)
# Eight words in a row shared with the instructions are no coincidence.
ECHO_WORDS = 8
# What is left after lines were dropped must still be a sentence.
MIN_LEFT_WORDS = 5


@dataclass(frozen=True)
class Unusable:
    """Why a completion is no response."""

    reason: str
    detail: str = ""


def instruction_runs(prompts: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Return every run of ECHO_WORDS words in `prompts`, for `parse_completion`."""
    return frozenset(run for prompt in prompts for run in runs(words_of(prompt), ECHO_WORDS))


def parse_completion(
    completion: str,
    *,
    instructions: frozenset[tuple[str, ...]],
    improves: str | None,
    max_words: int,
) -> str | Unusable:
    """Return the reply in `completion`, or why there is none.

    `instructions` are the runs of words that the model was given, without the exchange's own
    texts; `improves` is the response that it was to better.
    """
    text = _stripped(_THINKING.sub("", completion))
    if not text:
        return Unusable("empty")
    if text.endswith(":") or _MARK_ONLY.fullmatch(text):
        return Unusable("only_a_preamble", text[:80])
    if _REFUSAL.search(text):
        return Unusable("refusal", text[:80])
    if found := _SELF.search(text):
        return Unusable("speaks_as_a_model", found.group())
    if found := _REMARK.search(text):
        return Unusable("remarks_on_the_reply", text[:80])
    text, problem = _without_instructions(text, instructions)
    if problem is not None:
        return problem
    if improves is not None and words_of(text) == words_of(improves):
        return Unusable("unchanged")
    words = count_words(text)
    if words > max_words:
        return Unusable("over_long", f"{words} words, at most {max_words}")
    return text


def _without_instructions(
    text: str, instructions: frozenset[tuple[str, ...]]
) -> tuple[str, Unusable | None]:
    """Drop whole lines that repeat the prompt; a reply that is mixed with it is unusable."""
    kept, problem = [], None
    for line in text.splitlines():
        found = _DEFINITION.search(line)
        if found:
            problem = Unusable("leaks_the_definition", found.group())
        elif not instructions.isdisjoint(runs(words_of(line), ECHO_WORDS)):
            problem = Unusable("echoes_the_prompt", line[:80])
        else:
            kept.append(line)
    if problem is None:
        return text, None
    rest = _stripped("\n".join(kept))
    return (rest, None) if count_words(rest) >= MIN_LEFT_WORDS else (text, problem)


def _stripped(text: str) -> str:
    """Take off what stands around a reply, as often as there is something."""
    before = None
    while text != before:
        before = text
        text = text.strip()
        for wrapper in (_FENCE, _TAGS):
            if found := wrapper.match(text):
                text = found.group(found.lastindex or 0).strip()
        text = _LABEL.sub("", _PREAMBLE.sub("", text))
        text = _COUNT.sub("", _CLOSING.sub("", text))
        text = _unquoted(text.strip())
    return "\n".join(line.rstrip() for line in text.splitlines())


def _unquoted(text: str) -> str:
    """Take off quotes around the whole text, unless they belong to two quotations in it."""
    opening = text[:1]
    closing = _QUOTES.get(opening)
    if closing is None or len(text) < 2 or not text.endswith(closing):
        return text
    inner = text[1:-1]
    return text if opening in inner or (closing in inner and opening != "‘") else inner
