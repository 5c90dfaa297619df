"""The feature tables that exchanges and responses alone can give."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipeline.features.embeddings import Embedder, embedding_table
from pipeline.features.table import FeatureTable
from pipeline.features.text import text_table
from pipeline.features.words import word_table
from pipeline.records import Exchange, Response
from pipeline.text.words import count_words

# An embedder sees the first 256 pieces of a text; with more, little of the response would be left.
EMBEDDED_WORDS = 100


def context_tables(
    pairs: Sequence[tuple[Exchange, Response]], embedder: Embedder | None
) -> list[FeatureTable]:
    """Return who wrote it, its length, readable text features, words, and perhaps embeddings.

    `response_*` embeds the response alone, `exchange_*` the last of what was said with the response
    below it.
    """
    tables = [
        _type_table(pairs),
        _length_table(pairs),
        text_table(
            [
                (response.id, response.text, f"{exchange.situation}\n{exchange.transcript_text()}")
                for exchange, response in pairs
            ]
        ),
        word_table([(response.id, response.text) for _, response in pairs]),
    ]
    if embedder is not None:
        texts = [(response.id, response.text) for _, response in pairs]
        both = [
            (
                response.id,
                f"{exchange.transcript_text(most_words=EMBEDDED_WORDS)}\n{response.text}",
            )
            for exchange, response in pairs
        ]
        tables.append(embedding_table("response", texts, embedder))
        tables.append(embedding_table("exchange", both, embedder))
    return tables


def _type_table(pairs: Sequence[tuple[Exchange, Response]]) -> FeatureTable:
    responders = sorted({response.responder for _, response in pairs})
    values = [[float(response.responder == one) for one in responders] for _, response in pairs]
    return FeatureTable(
        tuple(response.id for _, response in pairs),
        tuple(f"type_{one}" for one in responders),
        np.array(values),
    )


def _length_table(pairs: Sequence[tuple[Exchange, Response]]) -> FeatureTable:
    values = [[math.log1p(count_words(response.text))] for _, response in pairs]
    return FeatureTable(
        tuple(response.id for _, response in pairs), ("length_log_words",), np.array(values)
    )
