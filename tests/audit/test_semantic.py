from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audit import semantic
from pipeline.audit.semantic import semantic_duplicates
from pipeline.audit.settings import AuditSettings
from tests.audit.tables import replies, rows, table

FIRST = "Losing your dog after fourteen years leaves the house terribly quiet for you tonight"
SECOND = "The house is terribly quiet for you tonight, losing your dog after those fourteen years"
# What shares most shingles is a near-duplicate, and left to that detector.
NOT_NEAR = AuditSettings(near_duplicate_jaccard=0.95, semantic_cosine=0.85)


def noise(count: int) -> list[str]:
    rng = random.Random(5)
    words = [f"{a}{b}" for a in ("ba", "ko", "lu", "mi", "ze") for b in ("ra", "so", "tu", "ni")]
    words += [f"{a}{b}{c}" for a in "bdgkl" for b in "aeo" for c in ("mp", "rt", "st", "ng")]
    return [" ".join(rng.choices(words, k=12)) for _ in range(count)]


def test_the_same_in_another_order_of_words_is_found() -> None:
    detection = semantic_duplicates(table(replies(FIRST, *noise(60), SECOND)), NOT_NEAR)

    assert rows(detection) == ["61"]
    assert detection.findings[0].row_ids[1] == "0"
    assert detection.figures["coverage"] == 1.0


def test_many_texts_are_compared_in_blocks_and_the_coverage_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(semantic, "BLOCK_ROWS", 40)
    texts = noise(450)
    copies = [" ".join(reversed(one.split())) for one in texts[:30]]

    detection = semantic_duplicates(
        table(replies(*texts, *copies)), NOT_NEAR.model_copy(update={"semantic_exact_rows": 100})
    )

    assert detection.figures["method"] == "blocked"
    assert detection.figures["blocks"] == 16
    # Reversed copies have the same words, so the same vector, and fall into the same block.
    assert len(rows(detection)) >= 29
    assert isinstance(coverage := detection.figures["coverage"], float)
    assert coverage >= 0.9


def test_handed_vectors_take_the_place_of_words() -> None:
    texts = replies(*noise(24))

    def embed(said: Sequence[str]) -> NDArray[np.float64]:
        vectors = np.eye(24)
        vectors[5] = vectors[3]  # rows 3 and 5 mean the same to this model
        return vectors

    found = semantic_duplicates(replace(table(texts), embed=embed), AuditSettings())

    assert [finding.row_ids[:2] for finding in found.findings] == [("5", "3")]
    assert found.figures["vectors"] == "handed"
