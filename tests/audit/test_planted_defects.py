from __future__ import annotations

import pytest

from benchmarks.planted_defects import audit_planted, rows_of
from benchmarks.planting import PLANTERS, plant_copies, plant_defects, score

COPIES = ("exact_duplicates", "near_duplicates", "cross_split_leakage", "group_leakage")
# Feelings are mixed in the sample: the detector stays silent where the speaker tells good and bad.
LOWER_RECALL = {"emotion_mismatch": 0.7}


@pytest.fixture(scope="module")
def scores() -> dict[str, tuple[float, float]]:
    found = {}
    for planted in (plant_defects(), plant_copies()):
        for detector, recall, precision in score(planted, rows_of(audit_planted(planted))):
            found[detector] = (recall, precision)
    return found


@pytest.mark.parametrize("detector", [*PLANTERS, *COPIES])
def test_finds_what_was_planted_and_little_else(
    detector: str, scores: dict[str, tuple[float, float]]
) -> None:
    recall, precision = scores[detector]

    assert recall >= LOWER_RECALL.get(detector, 0.95)
    assert precision >= 0.95
