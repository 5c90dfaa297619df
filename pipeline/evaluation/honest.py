"""Protocol `honest`: splits by dialogue, everything fitted in training, intervals and nulls.

A trial is one way to score: features, model, which rated responses to learn from. All trials see
the same splits, so they can be compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.classification import (
    MEASURES,
    EvaluationError,
    Predictions,
    accuracy,
    confusion,
    weighted_kappa,
)
from pipeline.features.table import FeatureTable
from pipeline.scoring.features import combination
from pipeline.scoring.leniency import RaterModel
from pipeline.scoring.rated import CLASSES, RatedSet
from pipeline.scoring.scorer import Scorer
from pipeline.scoring.select import Selection, permutation_importance, select_nested
from pipeline.statistics.intervals import Estimate, estimate, p_value
from pipeline.statistics.splits import Split

INNER_FOLDS = 3
AS_RATED = "as rated"
REPEATS = 3
RATERS = {"empirical_bayes": "leniency removed", "mixed": "leniency removed by a mixed model"}
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """One way to score.

    `pool` names the responses to learn from; `selection` an order of elimination whose length is
    chosen in inner folds; `calibrated` costs a second fit. With `members` it is the geometric mean
    of their probabilities (see `blend`).
    """

    features: str
    model: str
    pool: str = "balanced"
    raters: RaterModel = "none"
    selection: str | None = None
    calibrated: bool = True
    scaled: bool = True
    members: tuple[Trial, ...] = ()

    @property
    def label(self) -> str:
        """Return the model with all that was done to it."""
        if self.members:
            return f"blend of {len(self.leaves)}"
        parts = [self.model]
        parts += [] if self.scaled else ["unscaled"]
        parts += [f"nested {self.selection}"] if self.selection else []
        parts += [f"trained on {self.pool}"] if self.pool != "balanced" else []
        parts += [RATERS[self.raters]] if self.raters != "none" else []
        return ", ".join(parts)

    @property
    def leaves(self) -> tuple[Trial, ...]:
        """Return the trials that are fitted: those of all members, or itself."""
        return tuple(leaf for one in self.members for leaf in one.leaves) or (self,)


def blend(*members: Trial) -> Trial:
    """Return the trial whose probabilities are the geometric mean of those of `members`."""
    families = dict.fromkeys(name for one in members for name in one.features.split("+"))
    return Trial("+".join(families), "blend", pool=members[0].pool, members=members)


# What every scorer must beat: the commonest rating, who wrote the response, how long it is.
NULLS = (
    Trial("none", "majority", calibrated=False),
    Trial("type", "LR"),
    Trial("length", "LR"),
)


Kept: TypeAlias = dict[tuple[Trial, bytes], Predictions]


@dataclass
class TrialResult:
    """Measures of one trial, one value per split, and what selection chose."""

    trial: Trial
    test_over_train: float
    values: dict[str, list[float]] = field(default_factory=dict)
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((3, 3), dtype=np.int64))
    selections: list[Selection] = field(default_factory=list)
    importances: list[dict[str, float]] = field(default_factory=list)

    def estimate(self, metric: str) -> Estimate:
        """Return mean and interval of one measure; splits where it has no value are left out."""
        known = [value for value in self.values[metric] if not np.isnan(value)]
        return estimate(known, test_over_train=self.test_over_train)

    def rows(self) -> list[dict[str, object]]:
        """Return one row per measure, as the study reports them."""
        return [
            {
                "features": self.trial.features,
                "model": self.trial.label,
                "metric": metric,
                **self.estimate(metric).as_dict(),
            }
            for metric in self.values
        ]


@dataclass(frozen=True)
class Bench:
    """What all trials share: responses, features, pools to learn from, and what is tested.

    `tested` are the positions that the splits speak of; training takes all of a pool whose dialogue
    is not among the tested ones of the split.
    """

    rated: RatedSet
    table: FeatureTable
    pools: Mapping[str, Mask]
    tested: NDArray[np.intp]

    def sides(self, split: Split, pool: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return positions to learn from and to test on."""
        test = self.tested[split.test]
        apart = ~np.isin(self.rated.dialogues, self.rated.dialogues[test])
        return np.flatnonzero(apart & self.pools[pool]), test


def run_trial(
    bench: Bench,
    trial: Trial,
    splits: Sequence[Split],
    *,
    seed: int,
    kept: Kept | None = None,
) -> TrialResult:
    """Fit and test one trial on every split.

    The model `AS_RATED` learns nothing: its one feature is a rater's word, taken as the label. What
    the rater left unrated is skipped, and the share of it is reported. `kept` holds what trials of
    the same bench and seed predicted, so that blends fit no member twice.
    """
    if trial.model == AS_RATED:
        return _as_rated(bench, trial, splits)
    result = TrialResult(trial, len(splits[0].test) / len(splits[0].train))
    kept = {} if kept is None else kept
    for split in splits:
        _, test = bench.sides(split, trial.pool)
        truth = bench.rated.ratings[test]
        if trial.selection:
            fitted = _fit(bench, trial, split, seed=seed)
            found, scorer = fitted.found, fitted.scorer
            result.selections.append(Selection(scorer.names_))
            result.importances.append(
                permutation_importance(scorer, fitted.unseen, truth, repeats=REPEATS, seed=seed)
            )
        else:
            found = _predictions(bench, trial, split, kept, seed=seed)
        result.counts += np.array(confusion(truth, found))
        for metric, value in _measure(truth, found, bench.rated.responders[test]):
            result.values.setdefault(metric, []).append(value)
    return result


@dataclass(frozen=True)
class _Fitted:
    """One scorer, the test rows as it reads them, and what it says of them."""

    scorer: Scorer
    unseen: FeatureTable
    found: Predictions


def _fit(bench: Bench, trial: Trial, split: Split, *, seed: int) -> _Fitted:
    train, test = bench.sides(split, trial.pool)
    whole = combination(bench.table, trial.features)
    learn, unseen = _take(whole, train), _take(whole, test)
    rated = bench.rated.take(train)
    if trial.selection:
        chosen = select_nested(
            learn, rated, order=trial.selection, model=trial.model, folds=INNER_FOLDS, seed=seed
        )
        learn, unseen = learn.columns(chosen.names), unseen.columns(chosen.names)
    scorer = Scorer(
        trial.model,
        seed=seed,
        scaled=trial.scaled,
        raters=trial.raters,
        calibrated=trial.calibrated,
    ).fit(learn, rated)
    found = Predictions.of(scorer.predict_proba(unseen), scorer.classes_)
    return _Fitted(scorer, unseen, found)


def _predictions(bench: Bench, trial: Trial, split: Split, kept: Kept, *, seed: int) -> Predictions:
    from scipy.special import softmax

    key = trial, split.test.tobytes()
    if key not in kept:
        if trial.members:
            parts = [_predictions(bench, one, split, kept, seed=seed) for one in trial.members]
            logs = [np.log(np.clip(part.probabilities, 1e-6, 1)) for part in parts]
            kept[key] = Predictions.of(softmax(np.mean(logs, axis=0), axis=1), CLASSES)
        else:
            kept[key] = _fit(bench, trial, split, seed=seed).found
    return kept[key]


def _as_rated(bench: Bench, trial: Trial, splits: Sequence[Split]) -> TrialResult:
    result = TrialResult(trial, len(splits[0].test) / len(splits[0].train))
    said = combination(bench.table, trial.features).values[:, 0]
    for split in splits:
        _, test = bench.sides(split, trial.pool)
        rated = test[~np.isnan(said[test])]
        result.values.setdefault("share not rated", []).append(1 - len(rated) / len(test))
        if not len(rated):
            raise EvaluationError(
                f"{trial.features}: not one response of a split is rated\nRate more of them."
            )
        truth, labels = bench.rated.ratings[rated], said[rated].astype(np.int64)
        found = Predictions(labels, np.eye(len(CLASSES))[labels - 1])
        result.counts += np.array(confusion(truth, found))
        for metric in ("accuracy", "macro_f1", "qwk"):  # it gives no probability
            result.values.setdefault(metric, []).append(MEASURES[metric](truth, found))
    return result


def _take(table: FeatureTable, positions: NDArray[np.intp]) -> FeatureTable:
    ids = tuple(table.ids[position] for position in positions)
    return FeatureTable(ids, table.names, table.values[positions])


def _measure(
    truth: NDArray[np.int64], found: Predictions, responders: NDArray[np.str_]
) -> Iterator[tuple[str, float]]:
    for metric, measure in MEASURES.items():
        yield metric, measure(truth, found)
    for responder in sorted(set(responders)):
        own = responders == responder
        part = Predictions(found.labels[own], found.probabilities[own])
        yield f"accuracy within {responder}", accuracy(truth[own], part)
        yield f"qwk within {responder}", weighted_kappa(truth[own], part)


def compare(ours: TrialResult, other: TrialResult, metric: str) -> dict[str, object]:
    """Return the paired difference of one measure, ours less the other's, with interval and p."""
    pairs = zip(ours.values[metric], other.values[metric], strict=True)
    differences = [mine - theirs for mine, theirs in pairs]
    return {
        "ours": f"{ours.trial.features}: {ours.trial.label}",
        "other": f"{other.trial.features}: {other.trial.label}",
        "metric": metric,
        **estimate(differences, test_over_train=ours.test_over_train).as_dict(),
        "p": round(p_value(differences, test_over_train=ours.test_over_train), 6),
    }


def best_null(nulls: Sequence[TrialResult], metric: str) -> TrialResult:
    """Return the null baseline that is best by the mean of `metric`."""
    return max(nulls, key=lambda one: float(np.mean(one.values[metric])))
