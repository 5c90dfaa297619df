"""What makes a reply fail as a listener's: echoing, brightening, pitying, missing the feeling."""

from __future__ import annotations

import re
from collections import defaultdict

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.patterns import load_rules, load_words, match_rules, straight
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.near_duplicates import normalise
from pipeline.text.sentences import asks, split_sentences


def meaning_drift(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report rewrites that share almost no content word with the reply that they improve."""
    texts = [text for text in table.listener_texts if text.improved_from]
    if not texts:
        raise SkippedError("no column holds the reply before it was improved")
    findings: list[Finding] = []
    for text in texts:
        before, after = _content(text.improved_from or ""), _content(text.text)
        if len(before) < 4 or len(after) < 4:
            continue
        shared = len(before & after) / min(len(before), len(after))
        if shared <= settings.drift_similarity:
            findings.append(
                text_finding(
                    text,
                    Severity.WARNING,
                    explanation=f"Shares {shared:.0%} of its content words with its original.",
                    action="Check that it still answers the same; drop it if not.",
                    score=shared,
                )
            )
    return Detection(findings, {}, len(texts))


def _content(text: str) -> set[str]:
    """Return the stems (five letters) of the words of four letters and more that mean something."""
    words = set(normalise(text).split()) - load_words("english_function_words")
    return {word[:5] for word in words if len(word) >= 4}


_QUESTION = re.compile(r"[^.!?]*\?")


def question_share(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies of three sentences and more that question rather than answer."""
    findings: list[Finding] = []
    shares: dict[str, list[float]] = defaultdict(list)
    for text in table.listener_texts:
        sentences = split_sentences(text.text)
        if not sentences:
            continue
        questions = [sentence for sentence in sentences if asks(sentence)]
        share = len(questions) / len(sentences)
        shares[text.responder or "all"].append(share)
        if len(questions) >= 3 and share > settings.question_share:
            match = _QUESTION.search(text.text)
            findings.append(
                text_finding(
                    text,
                    Severity.INFO,
                    explanation=f"{len(questions)} of {len(sentences)} sentences are questions.",
                    action="Look at it: a row of questions is an interview.",
                    span=match.span() if match else None,
                    score=share,
                )
            )
    means: dict[str, Figure] = {
        who: round(sum(values) / len(values), 4) for who, values in sorted(shares.items())
    }
    return Detection(findings, {"mean_share": means}, len(table.listener_texts))


_GLAD = re.compile(
    r"^(joyful|excited|proud|grateful|content|confident|hopeful|positive|joy|happy|happiness)$",
    re.IGNORECASE,
)


def _is_glad(text: Text) -> bool:
    mood = text.emotion or text.sentiment
    return bool(mood and _GLAD.match(mood.strip()))


def toxic_positivity(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies that argue a bad feeling away; to a glad speaker they are no harm."""
    texts = [text for text in table.listener_texts if not _is_glad(text)]
    if not texts:
        raise SkippedError("every speaker is glad")
    return match_rules(
        texts,
        load_rules("empathy", "toxic_positivity"),
        action="Ask for a reply that stays with the feeling, or have it rated.",
        keep=_argues_away,
    )


_RELIEVED = re.compile(
    r"\b(thank(s|ful|fully)?|luck(y|ily)|glad|fortunate(ly)?|relie(f|ved)|at least|worked out|"
    r"better now|i'm (fine|ok|okay|good)|awesome|blessed|haha|lol|bright side|"
    r"survived|look(ing)? forward|fun|optimistic)\b",
    re.IGNORECASE,
)
_OF_ANOTHER = re.compile(
    r"\b(them|him|her|he|she|they|i|i'm|i've|she's|he's|they're|trying|able|did|been|say|says|"
    r"where|when|or|usually)( to)?( just)?\W*$",
    re.IGNORECASE,
)


def _argues_away(text: Text, match: re.Match[str]) -> bool:
    """Whether the words brighten the trouble of this speaker, and there is trouble to brighten."""
    before, after = straight(text.text[: match.start()]), straight(text.text[match.end() :])
    sentence = re.split(r"[.!?]", after, maxsplit=1)[0]
    asked = after[len(sentence) : len(sentence) + 1] == "?"
    if asked or re.search(r"\b(but i disagree|isn't true|not true)", after[:60], re.IGNORECASE):
        return False
    said = straight(text.heard)
    troubled = _TROUBLED.match((text.emotion or text.sentiment or "").strip())
    if _RELIEVED.search(said[-150:]) or (said and not troubled and not _BAD_NEWS.search(said)):
        return False
    return not _OF_ANOTHER.search(re.split(r"[.!?]", before)[-1])


_SORRY = re.compile(
    r"\b(i('m| am) )?(so |very |really |truly |deeply |terribly )*sorry( to hear| for|$|\W)|"
    r"\bthat('s| is| must be| sounds)( so| very| really| too)? (sad|bad|awful|terrible|sucks?|"
    r"tough|hard|rough|unfortunate|horrible)|\bthat sucks|\bmy condolences|\boh no\b",
    re.IGNORECASE,
)


def empty_sympathy(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies that say sorry and nothing about what has happened."""
    findings: list[Finding] = []
    for text in table.listener_texts:
        match = _SORRY.search(text.text.replace("’", "'"))
        words = normalise(text.text.replace("’", "").replace("'", "")).split()
        if match is None or "?" in text.text or not 1 < len(words) <= 25:
            continue
        own = [word for word in words if word not in load_words("sympathy_filler")]
        share = len(own) / len(words)
        if share <= 0.12:
            findings.append(
                text_finding(
                    text,
                    Severity.INFO,
                    explanation=f"Only {share:.0%} of its words are about this speaker.",
                    action="Prefer replies that name what has happened.",
                    span=match.span(),
                    score=share,
                )
            )
    return Detection(findings, {}, len(table.listener_texts))


_CONGRATULATES = re.compile(
    r"\b(congratulations|congrats|how (wonderful|exciting|lovely)|that('s| is) (so |really |very |"
    r"absolutely )?(great|awesome|wonderful|fantastic|amazing|exciting)( news| to hear)?[!.]|"
    r"so (happy|excited) for you)",
    re.IGNORECASE,
)
_PITIES = re.compile(
    r"\b(so |very |really |truly )?sorry (to hear|for your|you('re| are)|about (that|your))|"
    r"\bmy (deepest |sincere )?condolences|\bthat (must be|sounds) (so |really |very )?(hard|awful|"
    r"terrible|painful|devastating|heartbreaking)",
    re.IGNORECASE,
)
_PRAISES = re.compile(
    r"\b(great|wonderful|glad|happy|congrat\w*|inspiring|amazing|awesome|commendable|proud|"
    r"admir\w+|exciting|fantastic)\b",
    re.IGNORECASE,
)
# Who is grateful, hopeful or content may well have had trouble first.
_ELATED = re.compile(
    r"^(joyful|excited|proud|impressed|positive|joy|happy|happiness)$", re.IGNORECASE
)
_SAD = re.compile(
    r"^(sad|angry|furious|annoyed|devastated|lonely|ashamed|guilty|embarrassed|disgusted|"
    r"disappointed|negative|depression|grief)$",
    re.IGNORECASE,
)
_TROUBLED = re.compile(
    rf"{_SAD.pattern}|^(afraid|terrified|anxious|apprehensive|jealous|sadness|anger|fear|anxiety|"
    r"shame|disgust)$",
    re.IGNORECASE,
)
# Feelings are mixed: a speaker may be proud of a father who died. A reply to such words fits.
_BAD_NEWS = re.compile(
    r"\b(die[sd]?|dead|death|passed|passing|funeral|lost|lose|loss|losing|miss(ed|ing)?|sick|"
    r"ill|illness|cancer|hospital|surgery|accident|hurt|pain|bad|sad|sorry|upset|hard|tough|rough|"
    r"difficult|struggl\w+|stress\w*|worr\w+|anxious|nervous|scared|afraid|fear|fail\w*|broke\w*|"
    r"divorce\w*|fired|quit|cheat\w*|alone|lonely|cry\w*|cried|hate|problem|trouble|terrible|awful|"
    r"horrible|unfortunate\w*|disappoint\w*|debt|bills?|storm|hurricane|wreck|depress\w*|"
    r"leav(e|ing)|left|moved|moving|robbed|stole\w*|damage\w*|late|can't|couldn't|didn't|never|"
    r"wish|without|but|though|crash\w*|injur\w*|tired|expensive|money|mad|angry|annoy\w*)\b",
    re.IGNORECASE,
)
_GOOD_NEWS = re.compile(
    r"\b(won|win|winning|happy|glad|excit\w+|relie(f|ved)|married|wedding|engaged|pregnant|baby|"
    r"promot\w+|proud|lucky|birthday|graduat\w+|vacation|hired|accepted|succe\w+|sister|brother|"
    r"friends?|coworker|new)\b",
    re.IGNORECASE,
)


def emotion_mismatch(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report congratulations to a sad speaker, and condolences to an elated one.

    A label is that of the whole dialogue, whose later turns may turn to better or worse: where no
    column tells the situation, only the first reply of a dialogue is looked at.
    """
    texts = [text for text in table.listener_texts if text.emotion or text.sentiment]
    if not texts:
        raise SkippedError("no column says what the speaker feels")
    findings: list[Finding] = []
    answered: set[str] = set()
    for text in texts:
        if not text.situation and text.dialogue_id:
            if text.dialogue_id in answered:
                continue
            answered.add(text.dialogue_id)
        mood = (text.emotion or text.sentiment or "").strip()
        told = f"{text.heard} {text.situation or ''}"
        if _SAD.match(mood):
            pattern, mixed, softens = _CONGRATULATES, _GOOD_NEWS, _PITIES
        elif _ELATED.match(mood):
            pattern, mixed, softens = _PITIES, _BAD_NEWS, _PRAISES
        else:
            continue
        # Only the opening meets the feeling: later sentences may be about something else.
        opening = text.text.replace("’", "'")[:120]
        match = pattern.search(opening)
        if match is None or mixed.search(told) or softens.search(text.text):
            continue
        findings.append(
            text_finding(
                text,
                Severity.INFO,
                explanation=f"Opens so to a speaker whose feeling is {mood!r}.",
                action="Check the reply and the emotion label: one of them is wrong.",
                span=match.span(),
            )
        )
    return Detection(findings, {}, len(texts))


DETECTORS = {
    "meaning_drift": Detector("empathy", meaning_drift),
    "question_share": Detector("empathy", question_share),
    "emotion_mismatch": Detector("empathy", emotion_mismatch),
    "toxic_positivity": Detector("empathy", toxic_positivity),
    "empty_sympathy": Detector("empathy", empty_sympathy),
}
