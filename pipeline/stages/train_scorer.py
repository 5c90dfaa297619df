"""Stage `train_scorer`: a scorer of the train dialogues, measured on the test dialogues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.annotation.final_labels import FinalLabels
from pipeline.config import Section
from pipeline.declare import In, Metrics, Model, Out, Stage, Table
from pipeline.evaluation.classification import MEASURES, Predictions, confusion
from pipeline.features.coder import BehaviourCoder, coded_sentences
from pipeline.features.embeddings import CACHE, CachedEmbedder, MiniLm
from pipeline.features.pairs import read_pairs
from pipeline.features.table import FeatureTable, read_features
from pipeline.records import Exchange, FinalLabel, Response, SplitAssignment
from pipeline.scoring.features import FAMILIES, combination
from pipeline.scoring.leniency import RaterModel
from pipeline.scoring.rated import RatedSet, rated_set
from pipeline.scoring.saved import describe, save
from pipeline.scoring.scorer import Scorer
from pipeline.sources.licences import most_restrictive
from pipeline.storage import read_table, write_json


class TrainScorerParams(Section):
    """Section `train_scorer` of params.yaml.

    `features` joins families by `+`; `raters` is the model by which their leniency leaves training.
    """

    features: str
    model: str
    raters: RaterModel


DAG = Stage(machine_dependent=True)


def run(
    params: TrainScorerParams,
    *,
    seed: int,
    exchanges: In[Exchange],
    responses: In[Response],
    features: In[Table],
    splits: In[SplitAssignment],
    out: Out[Model],
    metrics: Metrics,
    labels: In[FinalLabel] | None = None,
    embeddings: Path = CACHE,
) -> None:
    """Write the scorer to the folder `out` and its measures, beside the nulls', to `metrics`.

    What people labelled (`labels`) takes the place of the source's ratings and codes in training.
    The test ratings are the source's alone, so that figures before and after a round compare.
    """
    split_of = {one.exchange_id: one.split for one in read_table(splits, SplitAssignment)}
    pairs = read_pairs(exchanges, responses)
    learned = [pair for pair in pairs if split_of[pair[0].id] == "train"]
    people = FinalLabels.read(labels)
    train = rated_set((exchange, people.rate(response)) for exchange, response in learned)
    test = rated_set(pair for pair in pairs if split_of[pair[0].id] == "test")
    table = read_features(features)
    scorer, measures = _fit(params.features, params.model, params, table, train, test, seed)
    figures = {
        "features": params.features,
        "model": params.model,
        "train": len(train),
        "test": len(test),
        "labels": people.counts([response for _, response in learned]),
        "scorer": measures,
        "nulls": {
            name: _fit(name, model, params, table, train, test, seed)[1]
            for name, model in (("none", "majority"), ("type", "LR"), ("length", "LR"))
        },
    }
    embedder = CachedEmbedder(MiniLm(), embeddings)
    facts = describe(
        scorer,
        combination(table, params.features).rows(train.ids.tolist()),
        features=params.features,
        embedder=embedder.name,
        licence=most_restrictive({exchange.lineage.licence for exchange, _ in pairs}),
    )
    codes = table.group(FAMILIES["MITI coded"]).names  # none where nobody coded the corpus
    needed = "MITI coded" in params.features.split("+") and codes
    coder = None
    if needed:
        answers = [(exchange.dialogue_id, response) for exchange, response in learned]
        coder = BehaviourCoder(embedder, seed=seed)
        coder.fit(list(coded_sentences(answers, people.codes)))
    shown = {name: value for name, value in measures.items() if name != "confusion"}
    save(out, scorer, facts.model_copy(update={"measures": shown}), coder)
    write_json(metrics, figures)


def _fit(
    features: str,
    model: str,
    params: TrainScorerParams,
    table: FeatureTable,
    train: RatedSet,
    test: RatedSet,
    seed: int,
) -> tuple[Scorer, dict[str, Any]]:
    part = combination(table, features)
    scorer = Scorer(model, seed=seed, raters="none" if model == "majority" else params.raters)
    scorer.fit(part.rows(train.ids.tolist()), train)
    chances = scorer.predict_proba(part.rows(test.ids.tolist()))
    found = Predictions.of(chances, scorer.classes_)
    return scorer, {
        **{name: round(measure(test.ratings, found), 4) for name, measure in MEASURES.items()},
        "confusion": confusion(test.ratings, found),
    }
