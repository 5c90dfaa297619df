"""Label posteriors: what crowd-kit gives, and no worse than a vote where skills differ."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import MACE, DawidSkene

from pipeline.annotation.agreement import GivenAnswer
from pipeline.annotation.posteriors import Model, label_posteriors
from pipeline.errors import PipelineError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # crowd-kit's, of pandas
]
MODELS: tuple[Model, ...] = ("dawid_skene", "mace")
LABELS = ("chosen", "equal", "rejected")
ITEMS = 60


def crowd(*skills: float, seed: int = 0) -> tuple[list[GivenAnswer], dict[str, str]]:
    """Return answers of one annotator per skill (the chance to know the truth), and the truth."""
    draw = np.random.default_rng(seed)
    truth = {f"p{number}": str(draw.choice(LABELS)) for number in range(ITEMS)}
    answers = [
        GivenAnswer(
            unit,
            unit,
            f"a-{who}",
            "better",
            label if draw.random() < skill else draw.choice(LABELS),
        )
        for unit, label in truth.items()
        for who, skill in enumerate(skills)
    ]
    return answers, truth


def right(labels: dict[str, str], truth: dict[str, str]) -> float:
    return sum(labels[unit] == label for unit, label in truth.items()) / len(truth)


def most_likely(posteriors: dict[str, dict[str, float]]) -> dict[str, str]:
    return {unit: max(shares, key=lambda one: shares[one]) for unit, shares in posteriors.items()}


@pytest.mark.parametrize(
    ("model", "reference"),
    [("dawid_skene", DawidSkene(n_iter=100)), ("mace", MACE(n_restarts=5, random_state=0))],
)
def test_posteriors_are_those_of_the_reference(model: Model, reference: DawidSkene | MACE) -> None:
    answers, _ = crowd(0.9, 0.6, 0.3)
    rows = [(one.unit, one.annotator, one.value) for one in answers]
    table = pd.DataFrame(rows, columns=["task", "worker", "label"])

    ours = pd.DataFrame.from_dict(label_posteriors(answers, "better", model), orient="index")

    theirs = reference.fit_predict_proba(table)
    assert np.allclose(ours.loc[theirs.index, list(LABELS)], theirs[list(LABELS)], atol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_guessers_do_not_outvote_those_who_know(model: Model) -> None:
    answers, truth = crowd(0.97, 0.97, 0.0, 0.0, 0.0, 0.0)
    votes: dict[str, Counter[object]] = {unit: Counter() for unit in truth}
    for one in answers:
        votes[one.unit][one.value] += 1

    by_vote = {unit: str(count.most_common(1)[0][0]) for unit, count in votes.items()}
    by_model = most_likely(label_posteriors(answers, "better", model))

    assert right(by_model, truth) > right(by_vote, truth)
    assert right(by_model, truth) > 0.9


@pytest.mark.parametrize("model", MODELS)
def test_shares_sum_to_one_and_agreement_is_certain(model: Model) -> None:
    answers, truth = crowd(1.0, 1.0, 1.0)

    posteriors = label_posteriors(answers, "better", model)

    assert all(sum(shares.values()) == pytest.approx(1) for shares in posteriors.values())
    assert most_likely(posteriors) == truth
    assert min(max(shares.values()) for shares in posteriors.values()) > 0.95


def test_sets_of_labels_and_unknown_questions_are_errors() -> None:
    answers = [GivenAnswer("i", "i", "a", "codes", ("Affirm",))]

    with pytest.raises(PipelineError, match="takes sets of labels"):
        label_posteriors(answers, "codes", "mace")
    with pytest.raises(PipelineError, match="question 'better': no answers\nThere are answers to"):
        label_posteriors(answers, "better", "mace")
