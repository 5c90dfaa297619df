from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.planted_defects import paraphrase_scores, scores
from pipeline.audit.detectors import BUILT_IN
from pipeline.features.embeddings import CachedEmbedder, MiniLm

LOWER_RECALL = {
    # Feelings are mixed in the sample: silent where a speaker tells good and bad.
    "emotion_mismatch": 0.7,
    # Only labels of which the classifier is very sure are named.
    "label_noise": 0.4,
    # Words alone miss some of what is said in other words; the vectors below miss less.
    "semantic_duplicates": 0.65,
}


LOWER_PRECISION = {
    # One of the sample's own replies does brighten ("at least you've got your memories").
    "toxic_positivity": 0.9,
}


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[float, float]]:
    return {detector: (recall, precision) for detector, recall, precision, _ in scores()}


def test_a_defect_is_planted_for_every_detector(found: dict[str, tuple[float, float]]) -> None:
    assert set(found) == set(BUILT_IN)


@pytest.mark.parametrize("detector", BUILT_IN)
def test_finds_what_was_planted_and_little_else(
    detector: str, found: dict[str, tuple[float, float]]
) -> None:
    recall, precision = found[detector]

    assert recall >= LOWER_RECALL.get(detector, 0.95)
    assert precision >= LOWER_PRECISION.get(detector, 0.95)


@pytest.mark.slow
def test_minilms_vectors_find_what_is_said_in_other_words(tmp_path: Path) -> None:
    embedder = CachedEmbedder(MiniLm(), tmp_path / "embeddings.sqlite")

    ((_, recall, precision, _),) = paraphrase_scores(embedder.embed)

    assert recall >= 0.95
    assert precision >= 0.95
