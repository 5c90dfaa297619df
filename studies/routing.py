"""Study `routing`: whether asking for the uncertain labels beats asking at random.

The 2,000 rated dialogues of welivita2024: labels are hidden and revealed on request. A scorer
(TF-IDF of the response, its overlap with the utterance and its length, multinomial logistic
regression) is refitted after each batch. Held-out dialogues never enter the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.annotation.routing import spread_out
from pipeline.records import Response
from pipeline.sources import ReadOptions, Sourced, get_source

DATASET = Path("welivita2024/dataset.csv")
SEEDS = 20
POOL = 3000
TEST = 2000
BATCH = 150
STEPS = (150, 300, 450, 600, 900, 1200, 1500, 2000, 2500, 3000)
REACH = 0.95
FEATURES = 50

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]
Chooser = Callable[[Matrix, list[int], int, Any, np.random.Generator], list[int]]


def run(data: Path, scratch: Path) -> dict[str, Any]:
    """Return the curves and the paired comparison as the content of `routing.json`."""
    del scratch
    texts, labels, dialogues = _read(data / DATASET)
    curves: dict[str, list[list[float]]] = {name: [] for name in CHOOSERS}
    full: list[float] = []
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        pool, test = _split(dialogues, random)
        features = _features(texts, pool)
        full.append(_qwk(_fit(features, labels, pool), features, labels, test))
        for name, choose in CHOOSERS.items():
            curves[name].append(_curve(features, labels, pool, test, choose, seed))
    return {"routing.json": _compare(curves, full)}


def _read(path: Path) -> tuple[list[str], Labels, list[str]]:
    texts, labels, dialogues = [], [], []
    for item in get_source("welivita2024").read(path, ReadOptions(max_chars=20_000)):
        if isinstance(item, Sourced):
            for response in item.responses:
                texts.append(_text(item, response))
                labels.append(response.rating or 0)
                dialogues.append(item.exchange.collection_id or item.exchange.dialogue_id)
    return texts, np.array(labels), dialogues


def _text(item: Sourced, response: Response) -> str:
    return f"{item.exchange.utterance}\t{response.text}"


def _split(dialogues: Sequence[str], random: np.random.Generator) -> tuple[Labels, Labels]:
    """Return the rows of the pool and of the test half, by collection task."""
    names = random.permutation(np.unique(np.asarray(dialogues)))
    held_out = set(names[: len(names) // 3].tolist())
    side = np.array([name in held_out for name in dialogues])
    pool = random.permutation(np.flatnonzero(~side))[:POOL]
    return pool, random.permutation(np.flatnonzero(side))[:TEST]


def _features(texts: Sequence[str], pool: Labels) -> Matrix:
    """Return features of all rows; what needs fitting saw the pool's texts, never a label."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    pairs = [text.split("\t", 1) for text in texts]
    responses = [response for _, response in pairs]
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=3, ngram_range=(1, 2))
    vectorizer.fit([responses[row] for row in pool])
    counts = vectorizer.transform(responses)
    reduced = TruncatedSVD(FEATURES, random_state=0).fit(counts[pool]).transform(counts)
    words = np.array([len(response.split()) for response in responses], dtype=float)
    shared = np.array(
        [len(set(one.lower().split()) & set(other.lower().split())) for one, other in pairs],
        dtype=float,
    )
    asks = np.array(["?" in response for response in responses], dtype=float)
    made = np.column_stack([reduced, np.log1p(words), np.log1p(shared), asks])
    scaled: Matrix = (made - made[pool].mean(axis=0)) / (made[pool].std(axis=0) + 1e-9)
    return scaled


def _fit(features: Matrix, labels: Labels, rows: Sequence[int] | Labels) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.05, class_weight="balanced", max_iter=100, tol=1e-3)
    return model.fit(features[list(rows)], labels[list(rows)])


def _qwk(model: Any, features: Matrix, labels: Labels, test: Labels) -> float:
    from sklearn.metrics import cohen_kappa_score

    predicted = model.predict(features[test])
    return float(cohen_kappa_score(labels[test], predicted, weights="quadratic"))


def _curve(
    features: Matrix, labels: Labels, pool: Labels, test: Labels, choose: Chooser, seed: int
) -> list[float]:
    random = np.random.default_rng(seed)
    rest = [int(row) for row in pool]
    known: list[int] = rest[:BATCH]  # the same first batch for every rule: the pool is shuffled
    rest = rest[BATCH:]
    model = _fit(features, labels, known)
    quality = [_qwk(model, features, labels, test)]
    for target in STEPS[1:]:
        picked = choose(features, rest, target - len(known), model, random)
        taken = set(picked)
        known += picked
        rest = [row for row in rest if row not in taken]
        model = _fit(features, labels, known)
        quality.append(_qwk(model, features, labels, test))
    return quality


def _at_random(
    features: Matrix, rest: list[int], count: int, model: Any, random: np.random.Generator
) -> list[int]:
    del features, model, random
    return rest[:count]


def _uncertain(
    features: Matrix, rest: list[int], count: int, model: Any, random: np.random.Generator
) -> list[int]:
    del random
    return [rest[place] for place in np.argsort(-_entropy(model, features[rest]))[:count]]


def _uncertain_and_diverse(
    features: Matrix, rest: list[int], count: int, model: Any, random: np.random.Generator
) -> list[int]:
    """Spread the batch over the three times as many most uncertain."""
    order = np.argsort(-_entropy(model, features[rest]))[: 3 * count]
    near = [rest[place] for place in order]
    return [
        near[place] for place in spread_out(features[near], count, seed=int(random.integers(2**31)))
    ]


def _half_random(
    features: Matrix, rest: list[int], count: int, model: Any, random: np.random.Generator
) -> list[int]:
    """Half by uncertainty, half at random: a floor that keeps the labels' distribution."""
    unsure = _uncertain(features, rest, count // 2, model, random)
    taken = set(unsure)
    return unsure + [row for row in rest if row not in taken][: count - len(unsure)]


def _entropy(model: Any, features: Matrix) -> Matrix:
    shares = np.clip(model.predict_proba(features), 1e-12, 1)
    entropy: Matrix = -(shares * np.log(shares)).sum(axis=1)
    return entropy


CHOOSERS: dict[str, Chooser] = {
    "random": _at_random,
    "uncertain": _uncertain,
    "uncertain_diverse": _uncertain_and_diverse,
    "half_random": _half_random,
}


def _compare(curves: dict[str, list[list[float]]], full: list[float]) -> dict[str, Any]:
    """Return mean curves, areas, labels to reach the target, and paired differences to random."""
    steps = np.array(STEPS, dtype=float)
    tables = {name: np.array(rows) for name, rows in curves.items()}
    areas = {
        name: np.trapezoid(table, steps, axis=1) / (steps[-1] - steps[0])
        for name, table in tables.items()
    }
    target = REACH * np.array(full)
    needed = {name: _labels_to_reach(table, target) for name, table in tables.items()}
    rules: dict[str, dict[str, Any]] = {}
    for name, table in tables.items():
        ratio = needed[name].mean() / needed["random"].mean()
        rules[name] = {
            "qwk": [round(float(value), 4) for value in table.mean(axis=0)],
            "area": round(float(areas[name].mean()), 4),
            "area_minus_random": _paired(areas[name] - areas["random"]),
            "labels_to_reach": round(float(needed[name].mean()), 1),
            "share_of_randoms_labels": round(float(ratio), 3),
            "labels_minus_random": _paired(needed[name] - needed["random"]),
        }
    best = min(
        (name for name in rules if name != "random"), key=lambda n: rules[n]["labels_to_reach"]
    )
    area = rules[best]["area_minus_random"]
    return {
        "seeds": SEEDS,
        "labels": list(STEPS),
        "target": f"{REACH:.0%} of the QWK with all {STEPS[-1]} labels",
        "full_label_qwk": round(float(np.mean(full)), 4),
        "rules": rules,
        "best_rule": best,
        "reaches_with_60_percent_of_randoms_labels": rules[best]["share_of_randoms_labels"] <= 0.6,
        "larger_area": area["low"] > 0,
    }


def _labels_to_reach(table: Matrix, target: Matrix) -> Matrix:
    """Return, per seed, the first number of labels whose QWK reaches the target."""
    steps = np.array(STEPS, dtype=float)
    hits = table >= target[:, None]
    reached: Matrix = np.where(hits.any(axis=1), steps[hits.argmax(axis=1)], steps[-1])
    return reached


def _paired(differences: Matrix) -> dict[str, float]:
    """Return the mean over seeds with a 95% bootstrap interval."""
    random = np.random.default_rng(0)
    means = random.choice(differences, size=(5000, len(differences))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "mean": round(float(differences.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }
