"""Protocol `published`: what the scoring paper did, step by step.

One stratified 80/20 split of rows, in file order and with seed 42; features unscaled; the number of
selected features chosen on the test part. It is here to be compared with: dialogues stand on both
sides of its split, and a number chosen on the test part is too good.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.classification import Predictions, accuracy, weighted_kappa
from pipeline.features.table import FeatureTable
from pipeline.scoring.classifiers import PUBLISHED, build_classifier
from pipeline.scoring.features import combination
from pipeline.scoring.rated import RatedSet, ScoringError
from pipeline.scoring.select import ORDERS
from pipeline.statistics.intervals import wilson

SEED = 42
TEST_SHARE = 0.2
MAX_SELECTED = 30
SETS = ("MITI", "15V2", "15V2+MITI")
SELECTED_FROM = "15V2+MITI"


@dataclass(frozen=True)
class PublishedSplit:
    """The paper's split of rows."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]

    @classmethod
    def of(cls, rated: RatedSet) -> PublishedSplit:
        """Split as the paper does; the rows must be in the order of its file."""
        from sklearn.model_selection import train_test_split

        train, test = train_test_split(
            np.arange(len(rated)), test_size=TEST_SHARE, random_state=SEED, stratify=rated.ratings
        )
        return cls(train, test)

    def shared_dialogues(self, rated: RatedSet) -> float:
        """Return the share of test rows whose dialogue is in training too."""
        return float(np.mean(np.isin(rated.dialogues[self.test], rated.dialogues[self.train])))


def balanced(rated: RatedSet) -> NDArray[np.intp]:
    """Return positions with as many of each rating as the rarest has, in file order.

    The paper balances so, with seed 42; the rows that it drew are those of its own file.
    """
    random = np.random.default_rng(SEED)
    ratings, counts = np.unique(rated.ratings, return_counts=True)
    least = int(counts.min())
    if len(ratings) < 2 or least < math.ceil(2 / TEST_SHARE):
        raise ScoringError(
            f"ratings {ratings.tolist()} occur {counts.tolist()} times: too few to split as the "
            "paper does\nRate more responses, or leave this protocol out."
        )
    kept = [random.choice(np.flatnonzero(rated.ratings == one), least, False) for one in ratings]
    return np.sort(np.concatenate(kept))


@dataclass(frozen=True)
class PublishedResult:
    """One model on the one test part; `selected` are the chosen features, best first."""

    features: str
    model: str
    accuracy: float
    qwk: float
    tested: int
    selected: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, object]]:
        """Return it as the study reports it; Wilson's interval, which knows of one split only."""
        low, high = wilson(self.accuracy, self.tested)
        shared = {"features": self.features, "model": self.model, "splits": 1}
        extra: dict[str, object] = {"selected": list(self.selected)} if self.selected else {}
        return [
            {**shared, "metric": "accuracy", "mean": self.accuracy, "ci": [low, high], **extra},
            {**shared, "metric": "qwk", "mean": self.qwk, "ci": None},
        ]


def reproduce_table(
    rated: RatedSet,
    table: FeatureTable,
    *,
    models: Sequence[str] = tuple(PUBLISHED),
    sets: Sequence[str] = SETS,
) -> Iterator[PublishedResult]:
    """Yield every cell of the paper's table of classifiers and feature sets."""
    split = PublishedSplit.of(rated)
    for name in sets:
        for model in models:
            yield _fit(combination(table, name), rated, split, features=name, model=model)


def reproduce_selection(
    rated: RatedSet, table: FeatureTable, *, order: str, features: str = SELECTED_FROM
) -> list[PublishedResult]:
    """Return one result per number of features, 1 to 30, chosen by `RFE` or `KBest`.

    Logistic regression reads them; the paper's headline is the best, chosen on the test part.
    """
    split = PublishedSplit.of(rated)
    whole = combination(table, features)
    _check_known(whole)
    best = ORDERS[order](whole.values[split.train], rated.ratings[split.train])
    results = []
    for count in range(1, min(MAX_SELECTED, len(whole.names)) + 1):
        # As scikit-learn hands them on: in the order of the columns.
        kept = [whole.names[position] for position in sorted(best[:count])]
        results.append(
            _fit(
                whole.columns(kept),
                rated,
                split,
                features=features,
                model=f"{order} k={count}, LR",
                selected=tuple(kept),
            )
        )
    return results


def _fit(
    part: FeatureTable,
    rated: RatedSet,
    split: PublishedSplit,
    *,
    features: str,
    model: str,
    selected: tuple[str, ...] = (),
) -> PublishedResult:
    _check_known(part)
    name = model if not selected else "LR"
    estimator = build_classifier(name, seed=SEED)
    estimator.fit(part.values[split.train], rated.ratings[split.train])
    found = np.asarray(estimator.predict(part.values[split.test]))
    truth = rated.ratings[split.test]
    predictions = Predictions(found, np.empty((0, 3)))
    return PublishedResult(
        features,
        model,
        accuracy(truth, predictions),
        weighted_kappa(truth, predictions),
        len(truth),
        selected,
    )


def _check_known(part: FeatureTable) -> None:
    unknown = [
        name
        for name, column in zip(part.names, part.values.T, strict=True)
        if np.isnan(column).any()
    ]
    if unknown:
        raise ScoringError(
            f"feature {unknown[0]}: not known of every response ({len(unknown)} such feature(s))\n"
            "The published protocol fills nothing in: use other features, or protocol honest."
        )
