"""Which model prefers the chosen side of held-out pairs, by implicit reward."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.classification import EvaluationError
from studies.student.preference_accuracy import (
    PairLogProbs,
    accuracy_difference,
    preference_accuracy,
    prefers_chosen,
)


def log_probs(chosen: list[float], rejected: list[float]) -> PairLogProbs:
    return PairLogProbs(np.array(chosen), np.array(rejected))


REFERENCE = log_probs([-50.0, -20.0, -30.0], [-20.0, -50.0, -30.0])


def test_what_counts_is_the_gain_over_the_reference_not_the_likelier_reply() -> None:
    model = log_probs([-45.0, -20.0, -30.0], [-20.0, -45.0, -30.0])

    assert prefers_chosen(model, REFERENCE).tolist() == [1.0, 0.0, 0.5]


def test_accuracy_has_an_interval_by_dialogue() -> None:
    found = preference_accuracy(np.array([1.0, 1.0, 0.0, 1.0]), ["a", "a", "b", "c"], seed=0)

    assert (found.value, found.pairs) == (0.75, 4)
    assert found.ci[0] < 0.75 <= found.ci[1]


def test_two_models_are_compared_pair_by_pair() -> None:
    one, other = np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])

    found = accuracy_difference(one, other, ["a", "b", "c", "d"], seed=0)

    assert (found.value, found.dialogues) == (0.25, 4)


def test_models_that_never_differ_have_no_interval_of_no_width() -> None:
    same = np.array([1.0, 0.0, 1.0])

    assert accuracy_difference(same, same, ["a", "b", "c"], seed=0).ci is None


def test_model_and_reference_must_have_seen_the_same_pairs() -> None:
    with pytest.raises(EvaluationError, match="1 pairs of the model, 3 of its reference"):
        prefers_chosen(log_probs([-1.0], [-2.0]), REFERENCE)


def test_without_a_pair_there_is_no_accuracy() -> None:
    nothing = log_probs([], [])

    with pytest.raises(EvaluationError, match="one at least"):
        prefers_chosen(nothing, nothing)


@pytest.mark.parametrize(
    ("chosen", "rejected", "words"),
    [([-1.0], [-1.0, -2.0], "One number per pair"), ([float("nan")], [-1.0], "not a finite")],
)
def test_log_probabilities_that_do_not_fit_are_refused(
    chosen: list[float], rejected: list[float], words: str
) -> None:
    with pytest.raises(EvaluationError, match=words):
        log_probs(chosen, rejected)
