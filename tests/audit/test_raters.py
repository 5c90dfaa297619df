from __future__ import annotations

import random

import pytest

from pipeline.audit.raters import arm_confounding, rater_severity, straight_lining
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import Text
from pipeline.statistics.agreement import icc_1
from tests.audit.tables import table


def rated(rater: str, ratings: list[int], responder: str = "human") -> list[Text]:
    return [
        Text(f"{rater}-{n}", "I hear you.", "a", responder=responder, rater=rater, rating=rating)
        for n, rating in enumerate(ratings)
    ]


VARIED = [1, 2, 3, 1, 2, 3, 2, 2, 1, 3]


def test_a_rater_who_always_says_the_same_is_found() -> None:
    texts = [*rated("r1", VARIED), *rated("r2", VARIED), *rated("r3", [3] * 10)]

    found = straight_lining(table(texts), AuditSettings()).findings

    assert {one.cluster for one in found} == {"rater-r3"}
    assert len(found) == 10


def test_a_rater_far_harsher_than_the_others_is_found() -> None:
    texts = [one for n in range(20) for one in rated(f"r{n}", VARIED)]
    texts += rated("harsh", [1] * 29 + [2])

    found = rater_severity(table(texts), AuditSettings()).findings

    assert [one.cluster for one in found] == ["rater-harsh"]
    assert found[0].score is not None
    assert found[0].score < 0


def test_icc_agrees_with_pingouin() -> None:
    pingouin = pytest.importorskip("pingouin")
    import pandas as pd

    rng = random.Random(1)
    groups = [[rng.gauss(mean, 1.0) for _ in range(6)] for mean in (0, 0.5, 1, 2, 3)]
    frame = pd.DataFrame(
        [
            (target, k, value)
            for target, group in enumerate(groups)
            for k, value in enumerate(group)
        ],
        columns=["target", "rater", "value"],
    )
    table_ = pingouin.intraclass_corr(frame, targets="target", raters="rater", ratings="value")

    assert icc_1(groups) == pytest.approx(float(table_["ICC"].iloc[0]), abs=1e-3)


def test_raters_of_one_responder_each_confound_rater_and_responder() -> None:
    texts = [*rated("r1", VARIED), *rated("r2", VARIED, "gpt"), *rated("r3", VARIED, "gpt")]

    assert arm_confounding(table(texts), AuditSettings()).findings[0].score == 1.0


def test_raters_who_saw_all_responders_do_not() -> None:
    texts = [one for r in ("r1", "r2", "r3") for who in "ab" for one in rated(r, VARIED, who)]

    assert arm_confounding(table(texts), AuditSettings()).findings == []
