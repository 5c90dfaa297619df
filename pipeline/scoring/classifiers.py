"""The classifiers by name: those of the paper, and ours.

A published one is the bare estimator with the paper's settings, on unscaled features. `pipeline`
puts imputing and scaling before any of them, fitted with it and therefore inside every fold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.errors import PipelineError

Build = Callable[[int], Any]


def _logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, random_state=seed)


def _svc(seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC(random_state=seed)


def _tree(seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=seed)


def _forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(random_state=seed)


def _mlp(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(hidden_layer_sizes=(64, 32), max_iter=5000, random_state=seed)


def _balanced_logistic(penalty: float) -> Build:
    def build(seed: int) -> Any:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(
            max_iter=1000, C=penalty, class_weight="balanced", random_state=seed
        )

    return build


def _balanced_svc(seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC(C=0.5, class_weight="balanced", random_state=seed)


def _boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=80,
        learning_rate=0.05,
        max_leaf_nodes=6,
        min_samples_leaf=40,
        l2_regularization=5,
        class_weight="balanced",
        random_state=seed,
    )


def _ordinal(penalty: float) -> Build:
    def build(seed: int) -> Any:
        del seed  # deterministic
        from pipeline.scoring.ordinal import OrdinalLogistic

        return OrdinalLogistic(C=penalty, class_weight="balanced")

    return build


def _ridge_ordinal(seed: int) -> Any:
    del seed  # deterministic
    from pipeline.scoring.ordinal import RidgeOrdinal

    return RidgeOrdinal(class_weight="balanced")


def _majority(seed: int) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior", random_state=seed)


PUBLISHED: dict[str, Build] = {
    "LR": _logistic,
    "SVC": _svc,
    "DT": _tree,
    "RF": _forest,
    "MLP": _mlp,
}
OURS: dict[str, Build] = {
    "balanced LR": _balanced_logistic(0.1),
    "balanced SVC": _balanced_svc,
    "boosting": _boosting,
    "balanced LR C=.3": _balanced_logistic(0.3),
    "ordinal C=1": _ordinal(1.0),
    "ordinal C=.3": _ordinal(0.3),
    "ordinal": _ordinal(0.1),
    "ordinal C=.01": _ordinal(0.01),
    "ordinal C=.003": _ordinal(0.003),
    "ordinal C=.001": _ordinal(0.001),
    "ordinal C=.0003": _ordinal(0.0003),
    "ridge-ordinal": _ridge_ordinal,
}
CLASSIFIERS: dict[str, Build] = {**PUBLISHED, **OURS, "majority": _majority}


def build_classifier(name: str, *, seed: int) -> Any:
    """Return an unfitted estimator, or say which there are."""
    if name not in CLASSIFIERS:
        raise PipelineError(f"classifier {name!r}: not known\nThere are: {', '.join(CLASSIFIERS)}")
    return CLASSIFIERS[name](seed)
