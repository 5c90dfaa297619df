"""Win rates: won contests plus half the ties, over the contests that have a verdict.

The interval draws dialogues, with all that was said in them: both sides answered the same dialogue,
so the comparison stays paired. Two views take length out: contests of about equal length alone, and
a model of the verdict in which the length difference is set to zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.contests import Contest
from pipeline.evaluation.judges import LOSS, TIE, WIN, Verdict
from pipeline.features.table import Array
from pipeline.statistics.bootstrap import RESAMPLES
from pipeline.statistics.intervals import share_interval

LEAST_LONGER = 10


@dataclass(frozen=True)
class Judged:
    """A contest's dialogue, its replies' lengths in words (ours first) and its verdict."""

    dialogue: str
    words: tuple[int, int]
    verdict: Verdict

    @classmethod
    def of(cls, contest: Contest, verdict: Verdict) -> Judged:
        """Join a contest with what a judge said of it."""
        return cls(contest.exchange.dialogue_id, contest.words, verdict)


@dataclass(frozen=True)
class WinRate:
    """A win rate, 0 to 1, with its 95% interval; both None where no contest has a verdict.

    `n` counts contests with a verdict, `failed` those without.
    """

    value: float | None
    ci: tuple[float, float] | None
    n: int
    ties: int
    failed: int


def win_rate(judged: Sequence[Judged], *, seed: int, resamples: int = RESAMPLES) -> WinRate:
    """Return the win rate of our side. Raises EvaluationError if there is no contest at all."""
    if not judged:
        raise EvaluationError("win rate: there is no contest\nGive replies to some exchanges.")
    known = _known(judged)
    failed = len(judged) - len(known)
    if not known:
        return WinRate(None, None, 0, 0, failed)
    values, dialogues = [value for _, value in known], [one.dialogue for one, _ in known]
    return WinRate(
        value=float(np.mean(values)),
        ci=share_interval(values, dialogues, seed=seed, resamples=resamples),
        n=len(known),
        ties=values.count(TIE),
        failed=failed,
    )


def _known(judged: Sequence[Judged]) -> list[tuple[Judged, float]]:
    return [(one, one.verdict.value) for one in judged if one.verdict.value is not None]


def length_matched(judged: Sequence[Judged], *, tolerance: float) -> list[Judged]:
    """Return the contests whose replies differ in words by at most `tolerance` of the longer."""
    return [one for one in judged if abs(one.words[0] - one.words[1]) <= tolerance * max(one.words)]


def length_controlled(judged: Sequence[Judged]) -> WinRate:
    """Return the win rate at equal length, from a logistic regression of the verdict.

    After Dubois et al. (2024, length-controlled AlpacaEval): the verdict's log odds are a constant
    and a slope of tanh(difference in words / its standard deviation); the rate is that of the
    constant alone. Half a win is half of a binomial outcome. The interval is Wald's, with
    dialogues as clusters. There is no estimate where either side is the longer one in fewer than
    `LEAST_LONGER` contests (it would be extrapolated), nor where length tells all verdicts apart.
    """
    from scipy.special import expit
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    known = _known(judged)
    failed = len(judged) - len(known)
    values = np.array([value for _, value in known], dtype=np.float64)
    ahead = np.array([one.words[0] - one.words[1] for one, _ in known], dtype=np.float64)
    ties = int(np.sum(values == TIE))
    nothing = WinRate(None, None, len(known), ties, failed)
    fewest = min(int(np.sum(ahead > 0)), int(np.sum(ahead < 0)))
    if fewest < LEAST_LONGER or _separated(values, ahead):
        return nothing
    design = np.column_stack([np.ones(len(ahead)), np.tanh(ahead / ahead.std())])
    _, groups = np.unique([one.dialogue for one, _ in known], return_inverse=True)
    fitted = GLM(values, design, family=Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": groups}
    )
    rate, low, high = map(float, expit([fitted.params[0], *fitted.conf_int()[0]]))
    return WinRate(rate, (low, high), len(known), ties, failed)


def _separated(values: Array, ahead: Array) -> bool:
    """Say whether a threshold on the difference in words tells wins from losses without a fault."""
    won, lost = ahead[values > LOSS], ahead[values < WIN]
    if np.ptp(values) == 0 or not len(won) or not len(lost):
        return True
    return bool(won.min() >= lost.max() or won.max() <= lost.min())


def position_bias(judged: Sequence[Judged]) -> float | None:
    """Return the share of contests in which the place won in both orders; None if not applicable.

    0 is no bias seen; a coin that looks at nothing has 0.5, one that looks at the place alone 1.
    """
    asked = [one.verdict for one in judged if one.verdict.asked_twice]
    if not asked:
        return None
    return sum(one.favoured is not None for one in asked) / len(asked)
