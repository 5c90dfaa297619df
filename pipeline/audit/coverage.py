"""What the data covers, and how varied and how easy to read its texts are."""

from __future__ import annotations

import math
import random
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean, median

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text
from pipeline.near_duplicates import normalise
from pipeline.text.sentences import split_sentences
from pipeline.text.words import count_words, distinct, runs

_SAMPLE = 500
# McCarthy and Jarvis (2010) take a type-token ratio of 0.72 as the end of a factor of MTLD.
_MTLD_RATIO = 0.72


def coverage_cells(table: AuditTable, settings: AuditSettings) -> Detection:
    """Count emotion x sentiment x length x responder; name the cells with too few rows."""
    texts = [text for text in table.listener_texts if text.emotion]
    if not texts:
        raise SkippedError("no column of emotions")
    middle = median(count_words(text.text) for text in texts)
    cells: Counter[tuple[str, ...]] = Counter()
    lengths, moods, responders = set(), set(), set()
    for text in texts:
        length = "short" if count_words(text.text) < middle else "long"
        mood = (str(text.emotion), text.sentiment or "-")
        lengths.add(length)
        moods.add(mood)
        responders.add(text.responder or "-")
        cells[*mood, length, text.responder or "-"] += 1
    possible = [
        (*mood, length, who)
        for mood in sorted(moods)
        for length in sorted(lengths)
        for who in sorted(responders)
    ]
    thin = [cell for cell in possible if cells[cell] < settings.thin_cell_rows]
    findings = [
        Finding(
            severity=Severity.INFO,
            responder=cell[3] if cell[3] != "-" else None,
            evidence=" x ".join(cell),
            score=float(cells[cell]),
            explanation=f"{cells[cell]} rows in this cell, under {settings.thin_cell_rows}.",
            action="Gather more of it, or do not report results for it.",
        )
        for cell in thin
    ]
    by_emotion: dict[str, Figure] = dict(sorted(Counter(str(t.emotion) for t in texts).items()))
    figures: dict[str, Figure] = {
        "cells": len(possible),
        "thin_cells": len(thin),
        "median_words": float(middle),
        "by_emotion": by_emotion,
    }
    return Detection(findings, figures, len(texts))


def lexical_diversity(table: AuditTable, settings: AuditSettings) -> Detection:
    """Measure distinct-n, MTLD, compression and self-BLEU per responder, on equal amounts of text.

    Each figure depends on how much text there is, so every responder gets a sample with as many
    words in all as the smallest one has.
    """
    by_responder: dict[str, list[Text]] = defaultdict(list)
    for text in table.listener_texts:
        if text.text.strip():
            by_responder[text.responder or "all"].append(text)
    groups = {who: texts for who, texts in sorted(by_responder.items()) if len(texts) >= 50}
    if not groups:
        raise SkippedError("under 50 replies of any responder")
    budget = min(
        sum(count_words(text.text) for text in _sampled(texts, settings))
        for texts in groups.values()
    )
    figures: dict[str, Figure] = {}
    for who, texts in groups.items():
        words, chosen = 0, []
        for text in _sampled(texts, settings):
            chosen.append(normalise(text.text).split())
            words += len(chosen[-1])
            if words >= budget:
                break
        joined = "\n".join(" ".join(one) for one in chosen).encode()
        figures[who] = {
            "texts": len(chosen),
            "distinct_1": round(distinct(chosen, 1) or 0.0, 4),
            "distinct_2": round(distinct(chosen, 2) or 0.0, 4),
            "distinct_3": round(distinct(chosen, 3) or 0.0, 4),
            "mtld": mtld([word for one in chosen for word in one]),
            "compression_ratio": round(len(joined) / max(1, len(zlib.compress(joined, 9))), 4),
            "self_bleu": self_bleu(chosen[:100]),
        }
    return Detection([], {"words_per_responder": budget, "by_responder": figures}, len(table.texts))


def _sampled(texts: Sequence[Text], settings: AuditSettings) -> list[Text]:
    if len(texts) <= _SAMPLE:
        return list(texts)
    return random.Random(settings.seed).sample(list(texts), _SAMPLE)  # noqa: S311 - no secret


def mtld(words: Sequence[str]) -> float:
    """Return the mean run of words that keeps its type-token ratio above 0.72, both ways read.

    Source: McCarthy and Jarvis (2010), Behavior Research Methods 42(2).
    """
    return round((_factors(words) + _factors(words[::-1])) / 2, 2) if words else 0.0


def _factors(words: Sequence[str]) -> float:
    factors, types, tokens = 0.0, set[str](), 0
    for word in words:
        tokens += 1
        types.add(word)
        if len(types) / tokens <= _MTLD_RATIO:
            factors, types, tokens = factors + 1, set(), 0
    if tokens:
        factors += (1 - len(types) / tokens) / (1 - _MTLD_RATIO)
    return len(words) / factors if factors else float(len(words))


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """Return the mean BLEU-4 of each text against all others: 0 all differ, 1 all the same.

    The n-gram precisions are smoothed by one in both parts (Lin and Och, 2004) above unigrams.
    """
    counts = [[Counter(runs(words, n)) for n in range(1, 5)] for words in texts]
    if len(texts) < 2:
        return 0.0
    # The best and the second best count of each n-gram tell the maximum over all others.
    best: list[dict[tuple[str, ...], list[int]]] = [{}, {}, {}, {}]
    for grams in counts:
        for n, counter in enumerate(grams):
            for gram, times in counter.items():
                top = sorted([*best[n].get(gram, [0, 0]), times], reverse=True)[:2]
                best[n][gram] = top
    scores = []
    for grams in counts:
        logs = []
        for n, counter in enumerate(grams):
            hits = 0
            for gram, times in counter.items():
                first, second = best[n][gram]
                hits += min(times, second if times == first else first)
            extra = 0 if n == 0 else 1
            logs.append(math.log(max(hits + extra, 1e-9) / max(counter.total() + extra, 1)))
        scores.append(math.exp(fmean(logs)))
    return round(fmean(scores), 4)


_VOWELS = re.compile(r"[aeiouy]+")


def readability(table: AuditTable, settings: AuditSettings) -> Detection:
    """Measure Flesch reading ease per responder: 100 is very easy, under 30 very hard."""
    by_responder: dict[str, list[float]] = defaultdict(list)
    for text in table.listener_texts:
        if count_words(text.text) >= 5:
            by_responder[text.responder or "all"].append(flesch(text.text))
    if not by_responder:
        raise SkippedError("no reply of five words or more")
    figures: dict[str, Figure] = {
        who: {"mean": round(fmean(scores), 2), "hard_share": round(_hard(scores), 4)}
        for who, scores in sorted(by_responder.items())
    }
    checked = sum(map(len, by_responder.values()))
    return Detection([], {"flesch_reading_ease": figures}, checked)


def _hard(scores: Sequence[float]) -> float:
    return sum(score < 30 for score in scores) / len(scores)


def flesch(text: str) -> float:
    """Return the Flesch reading ease; syllables are counted as runs of vowels.

    Source: Flesch (1948), Journal of Applied Psychology 32(3).
    """
    words = normalise(text.replace("'", "").replace("’", "")).split() or ["a"]
    sentences = max(1, len(split_sentences(text)))
    syllables = sum(_syllables(word) for word in words)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


def _syllables(word: str) -> int:
    runs = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith("le") and runs > 1
    return max(1, runs - silent)


DETECTORS = {
    "coverage_cells": Detector("coverage", coverage_cells),
    "lexical_diversity": Detector("coverage", lexical_diversity),
    "readability": Detector("coverage", readability),
}
