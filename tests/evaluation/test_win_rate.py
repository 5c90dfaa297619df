"""Win rates with ties, missing verdicts, and length taken out in two ways."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.win_rate import (
    Judged,
    length_controlled,
    length_matched,
    position_bias,
    win_rate,
)
from tests.evaluation.contests import judged


def test_a_tie_is_half_a_win() -> None:
    found = win_rate([judged(1.0, 1), judged(0.5, 2), judged(0.0, 3), judged(1.0, 4)], seed=0)

    assert found.value == 0.625
    assert (found.n, found.ties, found.failed) == (4, 1, 0)


def test_a_missing_verdict_is_neither_won_nor_lost() -> None:
    found = win_rate([judged(1.0, 1), judged(None, 2), judged(1.0, 3)], seed=0)

    assert found.value == 1.0
    assert (found.n, found.failed) == (2, 1)


def test_without_any_verdict_there_is_no_rate() -> None:
    found = win_rate([judged(None, 1), judged(None, 2)], seed=0)

    assert (found.value, found.ci, found.n, found.failed) == (None, None, 0, 2)


def test_without_a_contest_there_is_nothing_to_say() -> None:
    with pytest.raises(EvaluationError, match="there is no contest"):
        win_rate([], seed=0)


@pytest.mark.parametrize(("words", "kept"), [((80, 100), True), ((79, 100), False), ((0, 0), True)])
def test_equal_length_is_a_share_of_the_longer_reply(words: tuple[int, int], kept: bool) -> None:
    assert bool(length_matched([judged(1.0, words=words)], tolerance=0.2)) == kept


def simulated(at_equal_length: float, slope: float, *, seed: int = 1) -> list[Judged]:
    """Return 4,000 verdicts whose log odds are known; our side is the longer one in most."""
    random = np.random.default_rng(seed)
    ahead = random.normal(12, 20, 4000).round()
    odds = np.log(at_equal_length / (1 - at_equal_length)) + slope * np.tanh(ahead / ahead.std())
    won = random.random(4000) < 1 / (1 + np.exp(-odds))
    return [
        judged(float(value), number, words=(100 + int(more), 100))
        for number, (value, more) in enumerate(zip(won, ahead, strict=True))
    ]


@pytest.mark.parametrize("truth", [0.5, 0.3])
def test_a_known_effect_of_length_is_taken_out(truth: float) -> None:
    verdicts = simulated(truth, slope=2.0)

    raw, controlled = win_rate(verdicts, seed=0), length_controlled(verdicts)

    assert raw.value is not None
    assert raw.value > truth + 0.1
    assert controlled.value == pytest.approx(truth, abs=0.03)
    assert controlled.ci is not None
    assert controlled.ci[0] < truth < controlled.ci[1]


def test_without_an_effect_of_length_nothing_is_taken_out() -> None:
    verdicts = simulated(0.6, slope=0.0)

    assert length_controlled(verdicts).value == pytest.approx(
        win_rate(verdicts, seed=0).value, abs=0.02
    )


def test_the_model_of_two_points_is_the_one_worked_out_by_hand() -> None:
    # 9 of 12 won when 10 words ahead, 3 of 12 when 10 behind: log odds 0 +- log 3, at zero 0.5.
    verdicts = [judged(float(n < 9), n, words=(20, 10)) for n in range(12)]
    verdicts += [judged(float(n < 3), 12 + n, words=(10, 20)) for n in range(12)]

    assert length_controlled(verdicts).value == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    "verdicts",
    [
        [judged(float(n % 2), n, words=(20 + n, 10)) for n in range(40)],
        [judged(float(n % 2), n, words=(1 + n, 10)) for n in range(18)],
        [judged(float(n > 20), n, words=(n, 20)) for n in range(41)],
        [judged(1.0, n, words=(n, 20)) for n in range(41)],
        [judged(1.0, 1)],
        [judged(None, 1)],
    ],
    ids=["always longer", "rarely longer", "length decides", "all won", "one contest", "none"],
)
def test_where_length_cannot_be_told_apart_there_is_no_estimate(verdicts: list[Judged]) -> None:
    assert length_controlled(verdicts).value is None


def test_position_bias_is_the_share_in_which_the_place_won_twice() -> None:
    verdicts = [
        judged(0.5, 1, reason="orders disagree", asked_twice=True, favoured="first"),
        judged(1.0, 2, asked_twice=True),
        judged(None, 3),
    ]

    assert position_bias(verdicts) == 0.5


def test_position_bias_does_not_apply_to_a_judge_that_sees_no_order() -> None:
    assert position_bias([judged(1.0, 1)]) is None
