"""Words and pairs of words of a response, hashed: many numbers that mean nothing one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.features.table import FeatureTable

BUCKETS = 512


def word_table(items: Sequence[tuple[str, str]]) -> FeatureTable:
    """Return (id, text) pairs as `words_0` to `words_511`: signed counts, each row of length 1.

    Hashing learns nothing from the texts, so it may be done before they are split.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(n_features=BUCKETS, ngram_range=(1, 2), norm="l2")
    counts = hashing.transform([text for _, text in items]).toarray()
    names = tuple(f"words_{bucket}" for bucket in range(BUCKETS))
    return FeatureTable(tuple(one for one, _ in items), names, np.asarray(counts, np.float64))
