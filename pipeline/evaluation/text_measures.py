"""Measures of replies that need no judge: variety, repetition, length, overlap, MITI-style indices.

They are of all replies of one model together. Compare models on the same exchanges alone: variety
falls with the number of words looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from statistics import mean, median
from typing import Any

from pipeline.annotation.indices import miti_style_indices
from pipeline.evaluation.classification import EvaluationError
from pipeline.features.coder import BehaviourCoder
from pipeline.features.text import STOP_WORDS
from pipeline.records import Exchange, Response

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """Return the words of `text` in small letters, punctuation left out."""
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def distinct(texts: Sequence[str], n: int) -> float | None:
    """Return the share of different n-grams among all n-grams of `texts`; None if there is none.

    1 is nothing said twice. Li et al. (2016), "A diversity-promoting objective function".
    """
    grams = [gram for text in texts for gram in _grams(words_of(text), n)]
    return len(set(grams)) / len(grams) if grams else None


def repetition(text: str) -> float:
    """Return the share of the text's 3-word runs that it said before; 0 if it has none."""
    grams = _grams(words_of(text), 3)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def overlap(text: str, said: str) -> float:
    """Return the share of the text's different content words that were said to it; 0 if none."""
    own = set(words_of(text)) - STOP_WORDS
    return len(own & set(words_of(said))) / len(own) if own else 0.0


def _grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def text_measures(
    pairs: Sequence[tuple[Exchange, Response]], coder: BehaviourCoder | None
) -> dict[str, Any]:
    """Return the measures of one model's replies to these exchanges.

    Without a coder there are no MITI-style indices. Raises EvaluationError if there is no reply.
    """
    if not pairs:
        raise EvaluationError("text measures: there is no reply\nGenerate some: dvc repro generate")
    texts = [response.text for _, response in pairs]
    lengths = [len(words_of(text)) for text in texts]
    figures: dict[str, Any] = {
        "replies": len(texts),
        "words_mean": round(mean(lengths), 2),
        "words_median": median(lengths),
        "distinct_1": _rounded(distinct(texts, 1)),
        "distinct_2": _rounded(distinct(texts, 2)),
        "different_replies": round(len(set(texts)) / len(texts), 4),
        "repetition": round(mean(map(repetition, texts)), 4),
        "overlap_with_utterance": round(
            mean(
                overlap(response.text, exchange.transcript_text()) for exchange, response in pairs
            ),
            4,
        ),
    }
    if coder is not None:
        codes = [code for found in coder.code(texts) for code in found]
        indices = asdict(miti_style_indices(codes))
        figures["miti_style"] = {
            name: _rounded(value) if isinstance(value, float) else value
            for name, value in indices.items()
        }
    return figures


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
