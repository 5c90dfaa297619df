from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.audit.detector import Detect, SkippedError
from pipeline.audit.finding import Severity
from pipeline.audit.pairs import (
    pair_confounds,
    pair_duplicates,
    pair_inversions,
    pair_prompts,
    pair_ties,
)
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditPair
from tests.audit.tables import rows, table

GOOD = AuditPair("0", "I hear how tired you are.", "Whatever.", "I am tired.", None, 3, 1)


def found(detector: Detect, pairs: Sequence[AuditPair]) -> list[str]:
    return rows(detector(table(pairs=pairs), AuditSettings()))


def test_a_good_pair_has_no_finding() -> None:
    for detector in (pair_ties, pair_inversions, pair_duplicates):
        assert found(detector, [GOOD]) == []


@pytest.mark.parametrize(
    "tie",
    [
        AuditPair("1", "Same words.", "same words"),
        AuditPair("1", "One.", "Two.", chosen_rating=2, rejected_rating=2),
        AuditPair("1", "One.", "Two.", votes=("1", "2", "0")),
    ],
)
def test_a_pair_that_prefers_nothing_is_a_tie(tie: AuditPair) -> None:
    assert found(pair_ties, [GOOD, tie]) == ["1"]


def test_a_pair_whose_rejected_side_is_rated_higher_is_inverted() -> None:
    assert found(pair_inversions, [GOOD, AuditPair("1", "a", "b", "", None, 1, 2)]) == ["1"]


def test_the_turned_pair_contradicts_and_the_same_pair_repeats() -> None:
    turned = AuditPair("1", GOOD.rejected, GOOD.chosen, GOOD.prompt)
    same = AuditPair("2", GOOD.chosen, GOOD.rejected, GOOD.prompt)
    detection = pair_duplicates(table(pairs=[GOOD, turned, same]), AuditSettings())

    assert [(one.row_ids, one.severity) for one in detection.findings] == [
        (("1", "0"), Severity.CRITICAL),
        (("2", "0"), Severity.WARNING),
    ]


def test_the_same_sides_to_another_prompt_are_no_duplicate() -> None:
    assert (
        found(pair_duplicates, [GOOD, AuditPair("1", GOOD.chosen, GOOD.rejected, "I won!")]) == []
    )


def test_sides_that_answer_different_prompts_are_found() -> None:
    pairs = [
        AuditPair("0", "a", "b", "I am sad", "i am sad"),
        AuditPair("1", "a", "b", "I am sad", "Hello"),
    ]

    assert found(pair_prompts, pairs) == ["1"]


def test_a_corpus_that_length_alone_predicts_is_found() -> None:
    pairs = [AuditPair(str(n), "a b c d e f", "a b c", f"prompt {n}") for n in range(40)]
    detection = pair_confounds(table(pairs=pairs), AuditSettings())

    assert [one.evidence for one in detection.findings] == ["longest"]
    assert detection.figures["right_by_baseline"] == {
        "longest": 1.0,
        "shortest": 0.0,
        "most_sorry": 0.5,
        "most_questions": 0.5,
    }


def test_a_table_without_pairs_is_skipped() -> None:
    with pytest.raises(SkippedError, match="no columns of chosen"):
        pair_ties(table(), AuditSettings())
