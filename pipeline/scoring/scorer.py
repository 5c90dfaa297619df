"""`Scorer`: impute, scale, classify and calibrate as one thing that is fitted in training alone."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.features.table import Array, FeatureTable
from pipeline.scoring.classifiers import build_classifier
from pipeline.scoring.leniency import LENIENCY, RaterModel
from pipeline.scoring.rated import CLASSES, RatedSet, ScoringError
from pipeline.statistics.calibration import best_temperature
from pipeline.statistics.splits import held_out

CALIBRATION_SHARE = 0.25
_TEMPERATURES = np.exp(np.linspace(np.log(0.1), np.log(10), 81))


class Scorer:
    """A classifier `model` of named features.

    `scaled=False` hands the features on as they are, as the published protocol does. `raters` says
    by which model the leniency of raters is a further column in training, and 0 at prediction.
    """

    def __init__(
        self,
        model: str,
        *,
        seed: int,
        scaled: bool = True,
        raters: RaterModel = "none",
        calibrated: bool = True,
    ) -> None:
        self.model = model
        self.seed = seed
        self.scaled = scaled
        self.raters = raters
        self.calibrated = calibrated

    def fit(self, table: FeatureTable, rated: RatedSet) -> Self:
        """Fit on the rows of `table`, which are those of `rated` in the same order.

        Raises ScoringError for one class only, or for a feature that is never known.
        """
        check_trainable(table, rated)
        self.names_ = table.names
        values = table.values
        if self.raters != "none":
            extra = LENIENCY[self.raters](rated, values)
            values = np.hstack([values, extra[:, None]])
        self.temperature_ = 1.0
        if self.calibrated:
            held = held_out(rated.dialogues, CALIBRATION_SHARE, self.seed)
            kept = ~held
            if len(np.unique(rated.ratings[kept])) > 1 and held.any():
                self._fit(values[kept], rated.ratings[kept])
                self.temperature_ = self._best_temperature(table.values[held], rated.ratings[held])
        self._fit(values, rated.ratings)
        return self

    def _fit(self, values: Array, ratings: NDArray[np.int64]) -> None:
        self.estimator_ = build_pipeline(self.model, seed=self.seed, scaled=self.scaled)
        self.estimator_.fit(values, ratings)
        self.classes_ = tuple(int(name) for name in self.estimator_.classes_)

    def restore(
        self,
        estimator: Any,
        *,
        names: tuple[str, ...],
        classes: tuple[int, ...],
        temperature: float,
    ) -> Self:
        """Take what was learned before."""
        self.estimator_, self.names_ = estimator, names
        self.classes_, self.temperature_ = classes, temperature
        return self

    def predict_proba(self, table: FeatureTable) -> Array:
        """Return probabilities (rows, classes of training); the features are taken by name."""
        return self.predict_values(table.columns(self.names_).values)

    def predict_values(self, values: Array) -> Array:
        """Return probabilities for values whose columns are those of `names_`, in that order."""
        from scipy.special import softmax

        return np.asarray(softmax(self._scores(values) / self.temperature_, axis=1))

    def _best_temperature(self, values: Array, ratings: NDArray[np.int64]) -> float:
        known = np.isin(ratings, self.classes_)
        truth = np.searchsorted(self.classes_, ratings[known])
        return best_temperature(self._scores(values)[known], truth, _TEMPERATURES)

    def _scores(self, values: Array) -> Array:
        if self.raters != "none":
            values = np.hstack([values, np.zeros((len(values), 1))])
        if hasattr(self.estimator_, "predict_proba"):
            chances = np.asarray(self.estimator_.predict_proba(values), dtype=np.float64)
            return np.asarray(np.log(np.clip(chances, 1e-6, 1)))
        decision = np.asarray(self.estimator_.decision_function(values), dtype=np.float64)
        return np.column_stack([-decision, decision]) if decision.ndim == 1 else decision


def build_pipeline(model: str, *, seed: int, scaled: bool) -> Any:
    """Return an unfitted pipeline: means for what is missing, scaling unless told otherwise."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if model == "majority":  # reads no feature, and may be given none
        return build_classifier(model, seed=seed)
    steps = [SimpleImputer(keep_empty_features=True)]
    if scaled:
        steps.append(StandardScaler())
    return make_pipeline(*steps, build_classifier(model, seed=seed))


def check_trainable(table: FeatureTable, rated: RatedSet) -> None:
    """Raise ScoringError for what no scorer can learn from."""
    if table.ids != tuple(rated.ids):
        raise ScoringError("features and ratings are not of the same responses in the same order")
    found = sorted(set(rated.ratings.tolist()))
    if len(found) < 2:
        raise ScoringError(
            f"all {len(rated)} ratings are {found}: nothing to tell apart\nAdd other ratings."
        )
    empty = [
        name
        for name, column in zip(table.names, table.values.T, strict=True)
        if np.isnan(column).all()
    ]
    if empty:
        raise ScoringError(
            f"feature {empty[0]}: missing in all {len(rated)} training rows "
            f"({len(empty)} such feature(s))\nLeave it out, or make it: dvc repro featurize"
        )
    if np.isinf(table.values).any():
        raise ScoringError("a feature is infinite\nOnly finite numbers and NaN (missing) are read.")


def spread(probabilities: Array, classes: tuple[int, ...]) -> Array:
    """Return probabilities of 1, 2 and 3; a class that training did not have gets 0."""
    whole = np.zeros((len(probabilities), len(CLASSES)))
    whole[:, [CLASSES.index(name) for name in classes]] = probabilities
    return whole
