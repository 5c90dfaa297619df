"""How far two judges agree on the same contests, beyond chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.evaluation.judges import LOSS, TIE, WIN, Verdict
from pipeline.statistics.agreement import cohen_kappa, raw_agreement
from pipeline.statistics.bootstrap import RESAMPLES, Statistic, interval

OUTCOMES = (LOSS, TIE, WIN)


@dataclass(frozen=True)
class JudgeAgreement:
    """Two judges on the contests that both have a verdict on.

    `kappa` is Cohen's over win, tie and loss: 1 is perfect and 0 chance, None where undefined;
    `raw` is the share of equal verdicts. Intervals are 95%, by bootstrap of dialogues.
    """

    judges: tuple[str, str]
    kappa: float | None
    kappa_ci: tuple[float, float] | None
    raw: float | None
    raw_ci: tuple[float, float] | None
    n: int


def agreement(
    verdicts: Mapping[str, Mapping[str, Verdict]],
    dialogues: Mapping[str, str],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> list[JudgeAgreement]:
    """Return the agreement of every two judges.

    `verdicts` are by judge and contest id; `dialogues` say which dialogue a contest is of.
    """
    return [
        _two((left, right), verdicts[left], verdicts[right], dialogues, seed, resamples)
        for left, right in combinations(verdicts, 2)
    ]


def _two(
    names: tuple[str, str],
    left: Mapping[str, Verdict],
    right: Mapping[str, Verdict],
    dialogues: Mapping[str, str],
    seed: int,
    resamples: int,
) -> JudgeAgreement:
    shared = [
        (name, OUTCOMES.index(mine), OUTCOMES.index(theirs))
        for name, verdict in left.items()
        if (mine := verdict.value) is not None
        and (theirs := right[name].value if name in right else None) is not None
    ]
    codes = np.array([pair for _, *pair in shared], dtype=np.int64).reshape(len(shared), 2)
    clusters = [dialogues[name] for name, *_ in shared]

    def estimate(statistic: Statistic) -> tuple[float | None, tuple[float, float] | None]:
        limits = interval(statistic, seed=seed, clusters=clusters, resamples=resamples)
        return statistic.estimate(), limits

    kappa, kappa_ci = estimate(cohen_kappa(codes, len(OUTCOMES), "identity"))
    raw, raw_ci = estimate(raw_agreement(codes, len(OUTCOMES)))
    return JudgeAgreement(names, kappa, kappa_ci, raw, raw_ci, len(shared))
