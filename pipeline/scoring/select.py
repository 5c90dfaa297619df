"""Which features to keep: orders of elimination, and how many by nested folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.table import Array, FeatureTable
from pipeline.scoring.classifiers import build_classifier
from pipeline.scoring.rated import Labels, RatedSet, ScoringError
from pipeline.scoring.scorer import Scorer, build_pipeline

Order = NDArray[np.intp]


def rfe_order(values: Array, ratings: Labels) -> Order:
    """Return positions, the last one eliminated first.

    Recursive elimination by logistic regression, one feature a step: the first k of the order are
    what an elimination down to k keeps, so one pass serves every k.
    """
    from sklearn.feature_selection import RFE

    rfe = RFE(build_classifier("LR", seed=0), n_features_to_select=1).fit(values, ratings)
    return np.argsort(rfe.ranking_, kind="stable")


def kbest_order(values: Array, ratings: Labels) -> Order:
    """Return positions by falling F statistic of the feature alone."""
    from sklearn.feature_selection import f_classif

    scores, _ = f_classif(values, ratings)
    return np.argsort(-np.nan_to_num(scores, nan=-1.0), kind="stable")


ORDERS: dict[str, Callable[[Array, Labels], Order]] = {"RFE": rfe_order, "KBest": kbest_order}


@dataclass(frozen=True)
class Selection:
    """What a nested selection chose: the names kept, best first."""

    names: tuple[str, ...]


def select_nested(
    table: FeatureTable, rated: RatedSet, *, order: str, model: str, folds: int, seed: int
) -> Selection:
    """Choose how many features to keep by inner folds of whole dialogues, then keep that many.

    Everything, scaling and the order included, is fitted in inner training parts; ties go to the
    smaller number.
    """
    from sklearn.model_selection import GroupKFold

    if len(set(rated.dialogues)) < folds:
        raise ScoringError(
            f"{len(set(rated.dialogues))} dialogue(s) for {folds} inner folds\nUse fewer folds."
        )
    hits = np.zeros(len(table.names))
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    for inner, held in splitter.split(table.values, groups=rated.dialogues):
        hits += _hits_by_count(table.values, rated.ratings, inner, held, order, model, seed)
    count = int(np.argmax(hits)) + 1
    kept = ORDERS[order](_prepared(table.values), rated.ratings)[:count]
    return Selection(tuple(table.names[position] for position in kept))


def _hits_by_count(
    values: Array, ratings: Labels, inner: Order, held: Order, order: str, model: str, seed: int
) -> Array:
    """Return, for each number of features from 1, how many held-out ratings are met."""
    best = ORDERS[order](_prepared(values[inner]), ratings[inner])
    hits = []
    for count in range(1, values.shape[1] + 1):
        pipeline = build_pipeline(model, seed=seed, scaled=True)
        pipeline.fit(values[inner][:, best[:count]], ratings[inner])
        found = pipeline.predict(values[held][:, best[:count]])
        hits.append(float(np.sum(found == ratings[held])))
    return np.array(hits)


def _prepared(values: Array) -> Array:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    prepare = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    return np.asarray(prepare.fit_transform(values))


def permutation_importance(
    scorer: Scorer, table: FeatureTable, ratings: Labels, *, repeats: int, seed: int
) -> dict[str, float]:
    """Return the accuracy lost when a feature is shuffled among held-out rows, by feature."""
    random = np.random.default_rng(seed)
    base = _share_right(scorer, table, ratings)
    lost = {}
    for position, name in enumerate(table.names):
        drops = []
        for _ in range(repeats):
            values = table.values.copy()
            values[:, position] = random.permutation(values[:, position])
            shuffled = FeatureTable(table.ids, table.names, values)
            drops.append(base - _share_right(scorer, shuffled, ratings))
        lost[name] = float(np.mean(drops))
    return lost


def _share_right(scorer: Scorer, table: FeatureTable, ratings: Labels) -> float:
    found = np.array(scorer.classes_)[scorer.predict_proba(table).argmax(axis=1)]
    return float(np.mean(found == ratings))
