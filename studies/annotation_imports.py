"""Study `annotation_imports`: how often each label occurs in the corpora that can be imported."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from pipeline.annotation.imports import read_corpus

FILES = {
    "annomi": "annomi/annomi_single_annotator.csv",
    "esconv": "esconv/FailedESConv.json",
    "mi_strategy": "mi_strategy/CC_Augmented.csv",
    "welivita2023": "welivita2023/dataset_and_ratings.csv",
}


def run(data: Path, scratch: Path) -> dict[str, Any]:
    """Return the counts by corpus, question and label as the content of `labels.json`."""
    del scratch
    return {"labels.json": {corpus: _counts(corpus, data / file) for corpus, file in FILES.items()}}


def _counts(corpus: str, path: Path) -> dict[str, dict[str, int]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in read_corpus(corpus, path):
        labels = row.value if isinstance(row.value, tuple) else (str(row.value),)
        counts[row.question].update(labels)
    return {question: dict(found.most_common()) for question, found in sorted(counts.items())}
