"""Claim: a whole comparison takes under 5 minutes on two cores; 10,000 scores take under 5 s.

The comparison is featurizing, every classifier and both nested selections (5 outer folds, 3 inner,
elimination as one path) on the scoring paper's 1,920 items, with embeddings that were kept before.
Scores are with probabilities and reasons, given embeddings. Rival of the second: scikit-learn's
`predict_proba` of the same model alone, without reasons.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness import Measurement, data_folder, peak_mib, stopwatch

if TYPE_CHECKING:
    from pipeline.features.table import Array, FeatureTable
    from pipeline.scoring.rated import RatedSet

COMPARED_SECONDS = 300
SCORED = 10_000
FEATURES = "text+MiniLM"


def run() -> list[Measurement]:
    """Measure both, each from ready embeddings."""
    from pipeline.evaluation.honest import Bench, Trial, run_trial
    from pipeline.features.embeddings import CachedEmbedder, MiniLm
    from pipeline.features.table import FeatureTable
    from pipeline.scoring.classifiers import CLASSIFIERS
    from pipeline.statistics.splits import Split
    from studies.scoring.data import load

    folder = data_folder()
    embedder = CachedEmbedder(MiniLm())
    load(folder, embedder)  # what was not embedded before is now
    with stopwatch() as compared:
        data = load(folder, embedder)
        rated, table = data.published
        bench = Bench(rated, table, {"balanced": np.ones(len(rated), bool)}, np.arange(len(rated)))
        names = np.unique(rated.dialogues)
        parts = np.array_split(np.random.default_rng(0).permutation(names), 5)
        inside = [np.isin(rated.dialogues, part) for part in parts]
        splits = [Split(np.flatnonzero(~one), np.flatnonzero(one)) for one in inside]
        for model in CLASSIFIERS:
            run_trial(bench, Trial("15V2+MITI", model, calibrated=False), splits, seed=0)
        for order in ("RFE", "KBest"):
            trial = Trial("15V2+MITI", "LR", selection=order, calibrated=False)
            run_trial(bench, trial, splits, seed=0)
    taken = np.arange(SCORED) % len(data.rated)
    ids = tuple(f"response-{number}" for number in range(SCORED))
    many = FeatureTable(ids, data.table.names, data.table.values[taken])
    seconds, alone = _score(rated, table, many)
    return [
        Measurement(
            "scoring_comparison",
            compared(),
            f"s (claimed: under {COMPARED_SECONDS})",
            rows=len(rated),
            peak_mib=peak_mib(),
        ),
        Measurement(
            "scoring_10000",
            seconds,
            "s (claimed: under 5)",
            rival="predict_proba alone",
            ratio=seconds / alone,
            rows=SCORED,
        ),
    ]


def _score(rated: RatedSet, table: FeatureTable, many: FeatureTable) -> tuple[float, float]:
    """Return seconds for scores with reasons, and for probabilities alone."""
    from pipeline.scoring.features import combination
    from pipeline.scoring.predict import score
    from pipeline.scoring.saved import describe, load, save
    from pipeline.scoring.scorer import Scorer

    part = combination(table, FEATURES)
    scorer = Scorer("ordinal", seed=0).fit(part, rated)
    with tempfile.TemporaryDirectory() as scratch:
        facts = describe(scorer, part, features=FEATURES, embedder="kept", licence="none stated")
        save(Path(scratch), scorer, facts, None)
        loaded, facts, _ = load(Path(scratch), _Kept())
        with stopwatch() as seconds:
            for _ in score(loaded, facts, many):
                pass
        values = many.columns(facts.names).values
        with stopwatch() as alone:
            loaded.estimator_.predict_proba(values)
    return seconds(), alone()


class _Kept:
    """Stands for embeddings that are there already."""

    name = "kept"

    def embed(self, texts: Sequence[str]) -> Array:
        raise NotImplementedError
