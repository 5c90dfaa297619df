"""Measures of replies that need no judge: variety, repetition, length, overlap, MITI-style indices.

They are of all replies of one model together. Compare models on the same exchanges alone: variety
falls with the number of words looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from statistics import mean, median
from typing import Any

from pipeline.annotation.indices import miti_style_indices
from pipeline.evaluation.classification import EvaluationError
from pipeline.features.coder import BehaviourCoder
from pipeline.features.text import STOP_WORDS
from pipeline.records import Exchange, Response
from pipeline.text.words import distinct, repetition, words_of


def overlap(text: str, said: str) -> float:
    """Return the share of the text's different content words that were said to it; 0 if none."""
    own = set(words_of(text)) - STOP_WORDS
    return len(own & set(words_of(said))) / len(own) if own else 0.0


def text_measures(
    pairs: Sequence[tuple[Exchange, Response]], coder: BehaviourCoder | None
) -> dict[str, Any]:
    """Return the measures of one model's replies to these exchanges.

    Without a coder there are no MITI-style indices. Raises EvaluationError if there is no reply.
    """
    if not pairs:
        raise EvaluationError("text measures: there is no reply\nGenerate some: dvc repro generate")
    texts = [response.text for _, response in pairs]
    words = [words_of(text) for text in texts]
    lengths = [len(one) for one in words]
    figures: dict[str, Any] = {
        "replies": len(texts),
        "words_mean": round(mean(lengths), 2),
        "words_median": median(lengths),
        "distinct_1": _rounded(distinct(words, 1)),
        "distinct_2": _rounded(distinct(words, 2)),
        "different_replies": round(len(set(texts)) / len(texts), 4),
        "repetition": round(mean(repetition(one, 3) for one in words), 4),
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
