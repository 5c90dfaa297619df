"""Readable features of a response and of what it answers; each says what it counts.

The word lists are our own, short and English. They are counted per word of the response, so that a
long answer is not a warm one by its length alone; the lengths are features of their own.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.features.table import FeatureTable
from pipeline.text.sentences import asks, split_sentences
from pipeline.text.words import words_of

PREFIX: Final = "text"

POSITIVE = frozenset(
    "amazing awesome beautiful best brave brilliant calm cheerful comfort confident cool delighted "
    "enjoy enjoyable excellent excited exciting fantastic favourite favorite fun glad good great "
    "happy heartwarming hope hopeful incredible inspiring joy kind laugh love loved lovely lucky "
    "memorable nice peaceful perfect pleased positive pride proud relief relieved rewarding safe "
    "smile special strong success sweet thankful thrilled wonderful worthwhile".split()
)
NEGATIVE = frozenset(
    "afraid alone angry annoying anxious ashamed awful bad betrayed bitter cruel cry dead death "
    "depressed devastating difficult disappointed disappointing disgusting embarrassing fear "
    "frustrated frustrating gross grief guilty hard hate heartbreaking horrible hurt jealous "
    "lonely loss lost mad mean miserable miss nervous overwhelming pain painful sad scared scary "
    "shame sick sorry stress stressful struggle suck sucks terrible terrified tough ugly unfair "
    "unhappy upset upsetting weird worried worry worst wrong".split()
)
HEDGES = frozenset(
    "maybe perhaps probably possibly might may could seems seem sounds guess suppose somewhat "
    "apparently likely usually sometimes often".split()
)
DIRECTIVES = frozenset(
    "should must need try remember consider ensure make keep take talk seek reach stay".split()
)
FEELINGS = frozenset(
    "feel feels feeling feelings felt emotion emotions emotional heart hearts hurt hurts".split()
)
COGNITION = frozenset(
    "understand understandable understood know think imagine realise realize see sense reason "
    "believe wonder remember recall".split()
)
SYMPATHY = re.compile(
    r"\b(?:sorry|my condolences|my heart goes|here for you|feel for you|i can (?:only )?imagine"
    r"|i (?:can )?understand|must (?:be|have been|feel)|that's (?:so|really|very))\b"
)
WELL_WISHES = re.compile(
    r"\b(?:i hope|hopefully|good luck|best of luck|congrat\w*|fingers crossed|happy for you)\b"
)
I_WORDS = frozenset("i i'm i've i'd i'll me my mine myself".split())
YOU_WORDS = frozenset("you you're you've you'd you'll your yours yourself".split())
WE_WORDS = frozenset("we we're we've we'd we'll us our ours ourselves".split())
STOP_WORDS = frozenset(
    "a about all am an and any are as at be been but by can did do does for from get got had has "
    "have he her him his how i if in is it it's its just like me my no not of on one or out she so "
    "some that that's the their them then there they this to up was we were what when which who "
    "will with would you your".split()
)
NEGATIONS = frozenset(
    "no not never none nothing don't can't won't isn't wasn't doesn't didn't couldn't "
    "wouldn't aren't haven't".split()
)


@dataclass(frozen=True)
class Reading:
    """A response and what it answers, read once for all features."""

    response: str
    words: tuple[str, ...]
    sentences: tuple[str, ...]
    context: str
    context_words: tuple[str, ...]

    @classmethod
    def of(cls, response: str, context: str) -> Reading:
        """Read a response and the situation and utterance that it answers."""
        return cls(
            response=response,
            words=tuple(words_of(response, numbers=False)),
            sentences=split_sentences(response),
            context=context,
            context_words=tuple(words_of(context, numbers=False)),
        )

    def share(self, vocabulary: frozenset[str]) -> float:
        """Return the share of the response's words that are in `vocabulary`, 0 to 1."""
        return _share(self.words, vocabulary)


@dataclass(frozen=True)
class TextFeature:
    """One feature: what it means, and how it is read."""

    meaning: str
    value: Callable[[Reading], float]


def _share(words: Sequence[str], vocabulary: frozenset[str]) -> float:
    return sum(word in vocabulary for word in words) / len(words) if words else math.nan


def _sentiment(words: Sequence[str]) -> float:
    return _share(words, POSITIVE) - _share(words, NEGATIVE)


def _overlap(reading: Reading) -> float:
    said = set(reading.words) - STOP_WORDS
    return len(said & set(reading.context_words)) / len(said) if said else 0.0


def _ends_with_question(reading: Reading) -> float:
    return float(bool(reading.sentences) and asks(reading.sentences[-1]))


def _variety(reading: Reading) -> float:
    return len(set(reading.words)) / math.sqrt(len(reading.words)) if reading.words else math.nan


def _sentence_words(reading: Reading) -> float:
    return len(reading.words) / len(reading.sentences) if reading.sentences else math.nan


def _tone_gap(reading: Reading) -> float:
    return abs(_sentiment(reading.words) - _sentiment(reading.context_words))


def _count(pattern: re.Pattern[str]) -> Callable[[Reading], float]:
    return lambda reading: float(len(pattern.findall(reading.response.lower())))


FEATURES: dict[str, TextFeature] = {
    "log_words": TextFeature("log of 1 + words", lambda r: math.log1p(len(r.words))),
    "sentences": TextFeature("sentences", lambda r: float(len(r.sentences))),
    "sentence_words": TextFeature("words per sentence", _sentence_words),
    "word_chars": TextFeature(
        "characters per word",
        lambda r: sum(map(len, r.words)) / len(r.words) if r.words else math.nan,
    ),
    "variety": TextFeature("different words over the root of all words", _variety),
    "questions": TextFeature("question marks", lambda r: float(r.response.count("?"))),
    "ends_with_question": TextFeature("1 if the last sentence asks", _ends_with_question),
    "exclamations": TextFeature("exclamation marks", lambda r: float(r.response.count("!"))),
    "commas": TextFeature(
        "commas per word", lambda r: r.response.count(",") / len(r.words) if r.words else math.nan
    ),
    "starts_lower": TextFeature(
        "1 if it starts with a small letter", lambda r: float(r.response[:1].islower())
    ),
    "i_words": TextFeature("share of words of the first person", lambda r: r.share(I_WORDS)),
    "you_words": TextFeature(
        "share of words that address the speaker", lambda r: r.share(YOU_WORDS)
    ),
    "we_words": TextFeature(
        "share of words that take speaker and listener together", lambda r: r.share(WE_WORDS)
    ),
    "positive": TextFeature("share of words of a good feeling", lambda r: r.share(POSITIVE)),
    "negative": TextFeature("share of words of a bad feeling", lambda r: r.share(NEGATIVE)),
    "hedges": TextFeature("share of words that soften", lambda r: r.share(HEDGES)),
    "directives": TextFeature("share of words that tell what to do", lambda r: r.share(DIRECTIVES)),
    "feelings": TextFeature("share of words about feeling", lambda r: r.share(FEELINGS)),
    "cognition": TextFeature("share of words about thinking", lambda r: r.share(COGNITION)),
    "negations": TextFeature("share of negations", lambda r: r.share(NEGATIONS)),
    "sympathy": TextFeature("phrases of sympathy or understanding", _count(SYMPATHY)),
    "well_wishes": TextFeature("phrases of hope, luck or congratulation", _count(WELL_WISHES)),
    "overlap": TextFeature("share of its content words that the speaker used", _overlap),
    "tone_gap": TextFeature("distance between its sentiment and the speaker's", _tone_gap),
    "context_sentiment": TextFeature(
        "sentiment of what it answers", lambda r: _sentiment(r.context_words)
    ),
    "context_log_words": TextFeature(
        "log of 1 + words of what it answers", lambda r: math.log1p(len(r.context_words))
    ),
    "context_questions": TextFeature(
        "question marks in what it answers", lambda r: float(r.context.count("?"))
    ),
}


def text_table(items: Sequence[tuple[str, str, str]]) -> FeatureTable:
    """Return the features of (id, response, context) triples, named `text_<feature>`."""
    readings = [Reading.of(response, context) for _, response, context in items]
    values = [[feature.value(reading) for feature in FEATURES.values()] for reading in readings]
    return FeatureTable(
        tuple(one for one, _, _ in items),
        tuple(f"{PREFIX}_{name}" for name in FEATURES),
        np.array(values, dtype=np.float64).reshape(len(items), len(FEATURES)),
    )


def text_version() -> str:
    """Return a hash of what the features read: another word list is another version."""
    lists = (POSITIVE, NEGATIVE, HEDGES, DIRECTIVES, FEELINGS, COGNITION, NEGATIONS, STOP_WORDS)
    parts = [" ".join(sorted(one)) for one in (*lists, I_WORDS, YOU_WORDS, WE_WORDS)]
    parts += [SYMPATHY.pattern, WELL_WISHES.pattern]
    parts += [f"{name}: {feature.meaning}" for name, feature in FEATURES.items()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
