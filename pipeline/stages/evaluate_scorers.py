"""Stage `evaluate_scorers`: scorers, raters and null baselines side by side, by one protocol.

`honest` splits by dialogue and repeats; `published` does what the scoring paper did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydantic import Field

from pipeline.config import Section
from pipeline.declare import In, Json, Key, Metrics, Stage, Table
from pipeline.errors import PipelineError
from pipeline.evaluation.honest import (
    AS_RATED,
    NULLS,
    Bench,
    Trial,
    TrialResult,
    best_null,
    compare,
    run_trial,
)
from pipeline.evaluation.published import (
    PublishedSplit,
    balanced,
    reproduce_selection,
    reproduce_table,
)
from pipeline.features.model_ratings import rating_tables
from pipeline.features.pairs import read_pairs
from pipeline.features.table import FeatureTable, join, read_features
from pipeline.records import Exchange, ModelRating, Response
from pipeline.scoring.leniency import RaterModel
from pipeline.scoring.rated import RatedSet, rated_set
from pipeline.statistics.splits import grouped_splits
from pipeline.storage import read_json, read_table, write_json

Protocol = Literal["honest", "published"]
COMPARED = ("accuracy", "qwk")
# How a rater's numbers are read: its rating of the whole as it is, its aspects as features.
RATER_TRIALS = {
    "naive": Trial("rated naive", AS_RATED),
    "dimensions": Trial("rated dimensions", AS_RATED),
    "subfactors_v1": Trial("15V1", "LR"),
    "subfactors_v2": Trial("15V2", "LR"),
}


class TrialParams(Section):
    """One way to score: features, model, and how raters' leniency leaves training."""

    features: str
    model: str
    raters: RaterModel = "none"


class EvaluateScorersParams(Section):
    """Section `evaluate_scorers` of params.yaml.

    `trials` are those of `honest`, beside null baselines and rater models; `published_features` the
    sets of `published`, which selects among the last one's.
    """

    splits: int = Field(ge=20, description="dialogue-grouped splits of `honest`")
    test_share: float = Field(gt=0, lt=1, description="of all dialogues")
    trials: tuple[TrialParams, ...] = Field(min_length=1)
    published_features: tuple[str, ...] = Field(min_length=1)


DAG = Stage(each=("honest", "published"), machine_dependent=True)


def run(
    protocol: Key[Protocol],
    params: EvaluateScorersParams,
    *,
    seed: int,
    exchanges: In[Exchange],
    responses: In[Response],
    features: In[Table],
    ratings: In[ModelRating],
    raters: In[Json],
    out: Metrics,
) -> None:
    """Write the figures of `protocol` to `out`, with the reason for what could not be tried."""
    pairs = read_pairs(exchanges, responses)
    rated = rated_set(pairs)
    tables = [read_features(features), *rating_tables(read_table(ratings, ModelRating))]
    table = join(tables, [str(one) for one in rated.ids])
    if protocol == "published":
        write_json(out, _published(params, rated, table))
    else:
        write_json(out, _honest(params, rated, table, read_json(raters), seed=seed))


def _honest(
    params: EvaluateScorersParams,
    rated: RatedSet,
    table: FeatureTable,
    described: dict[str, Any],
    *,
    seed: int,
) -> dict[str, Any]:
    # All that is tested is what is learnt from, so one pool does.
    bench = Bench(rated, table, {"balanced": np.ones(len(rated), bool)}, np.arange(len(rated)))
    splits = list(
        grouped_splits(
            rated.dialogues.tolist(), count=params.splits, test_share=params.test_share, seed=seed
        )
    )
    excluded: list[dict[str, str]] = []

    def tried(trials: list[Trial]) -> Iterator[TrialResult]:
        for trial in trials:
            try:
                yield run_trial(bench, trial, splits, seed=seed)
            except PipelineError as error:
                excluded.append(_excluded(trial, trial.label, str(error).splitlines()[0]))

    nulls = list(tried(list(NULLS)))
    ours = [Trial(one.features, one.model, raters=one.raters) for one in params.trials]
    asked = []
    for name, about in described["raters"].items():
        if about["excluded"] is None:
            asked.append(RATER_TRIALS[name])
        else:
            model = described["model"] or "no rater"
            excluded.append(_excluded(RATER_TRIALS[name], model, about["excluded"]))
    results = list(tried([*ours, *asked]))
    return {
        "protocol": "honest",
        "responses": len(rated),
        "dialogues": len(set(rated.dialogues)),
        "rater": described["model"],
        "rows": [row for result in [*nulls, *results] for row in result.rows()],
        "against the best null": [
            compare(result, best_null(nulls, metric), metric)
            for result in results
            for metric in COMPARED
        ],
        "confusion": {
            f"{one.trial.features}: {one.trial.label}": one.counts.tolist()
            for one in [*nulls, *results]
        },
        "excluded": excluded,
    }


def _excluded(trial: Trial, model: str, reason: str) -> dict[str, str]:
    return {"features": trial.features, "model": model, "reason": reason}


def _published(
    params: EvaluateScorersParams, rated: RatedSet, table: FeatureTable
) -> dict[str, Any]:
    excluded: list[dict[str, str]] = []
    rows: list[dict[str, object]] = []
    kept = balanced(rated)
    part, rated = table.rows([str(one) for one in rated.ids[kept]]), rated.take(kept)
    for name in params.published_features:
        try:
            results = list(reproduce_table(rated, part, sets=(name,)))
            if name == params.published_features[-1]:
                for order in ("RFE", "KBest"):
                    results += reproduce_selection(rated, part, order=order, features=name)
        except PipelineError as error:
            excluded.append({"features": name, "reason": str(error).splitlines()[0]})
        else:
            rows += [row for result in results for row in result.rows()]
    return {
        "protocol": "published",
        "responses": len(rated),
        "test_rows_whose_dialogue_is_in_training": round(
            PublishedSplit.of(rated).shared_dialogues(rated), 4
        ),
        "rows": rows,
        "excluded": excluded,
    }
