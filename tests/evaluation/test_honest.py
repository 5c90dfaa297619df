from __future__ import annotations

import numpy as np

from pipeline.evaluation.honest import AS_RATED, Bench, Trial, best_null, blend, compare, run_trial
from pipeline.features.table import FeatureTable
from pipeline.statistics.splits import grouped_splits
from tests.scoring.test_scorer import COUNT, RATINGS, TABLE, rated

BENCH = Bench(rated(RATINGS), TABLE, {"balanced": np.ones(COUNT, dtype=bool)}, np.arange(COUNT))
SPLITS = list(grouped_splits(BENCH.rated.dialogues.tolist(), count=4, test_share=0.25, seed=0))


def test_a_scorer_of_a_telling_feature_beats_the_best_null() -> None:
    null = run_trial(BENCH, Trial("none", "majority", calibrated=False), SPLITS, seed=0)
    ours = run_trial(BENCH, Trial("text", "ordinal"), SPLITS, seed=0)

    against = compare(ours, best_null([null], "accuracy"), "accuracy")

    assert against["mean"] > 0.4
    assert against["p"] < 0.01
    assert against["ci"][0] > 0


def test_what_is_reported_has_features_model_metric_mean_interval_and_splits() -> None:
    result = run_trial(BENCH, Trial("text", "LR"), SPLITS, seed=0)

    rows = {row["metric"]: row for row in result.rows()}

    assert {"accuracy", "macro_f1", "qwk", "calibration_error", "qwk within human"} <= set(rows)
    assert set(rows["qwk"]) == {"features", "model", "metric", "mean", "ci", "splits"}
    assert rows["qwk"]["splits"] == 4


def test_nested_selection_keeps_the_feature_that_tells() -> None:
    trial = Trial("text", "LR", selection="RFE", calibrated=False)

    result = run_trial(BENCH, trial, SPLITS, seed=0)

    assert all("text_told" in one.names for one in result.selections)
    assert min(one["text_told"] for one in result.importances) > 0.2


def test_training_takes_nothing_of_a_tested_dialogue() -> None:
    for split in SPLITS:
        train, test = BENCH.sides(split, "balanced")
        dialogues = BENCH.rated.dialogues
        assert set(dialogues[train]).isdisjoint(dialogues[test])
        assert len(train) + len(test) == COUNT


def test_a_blend_of_one_is_that_one_and_members_are_fitted_once() -> None:
    one, other = Trial("text", "ordinal"), Trial("text", "LR")
    kept: dict[object, object] = {}

    alone = run_trial(BENCH, one, SPLITS, seed=0)
    blended = run_trial(BENCH, blend(one), SPLITS, seed=0, kept=kept)
    run_trial(BENCH, blend(one, blend(one, other)), SPLITS, seed=0, kept=kept)

    assert blended.values["accuracy"] == alone.values["accuracy"]
    assert {trial for trial, _ in kept if not trial.members} == {one, other}
    assert blend(one, blend(one, other)).label == "blend of 3"


def test_what_a_rater_said_is_taken_as_the_label_where_it_said_something() -> None:
    said = BENCH.rated.ratings.astype(float)
    said[::4] = np.nan
    table = FeatureTable(BENCH.table.ids, ("naive_rating",), said[:, None])
    bench = Bench(BENCH.rated, table, BENCH.pools, BENCH.tested)

    result = run_trial(bench, Trial("rated naive", AS_RATED), SPLITS, seed=0)

    assert result.estimate("accuracy").mean == 1
    assert 0.1 < result.estimate("share not rated").mean < 0.4
    assert "calibration_error" not in result.values
