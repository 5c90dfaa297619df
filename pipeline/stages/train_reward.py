"""Stage `train_reward`: a reward model of the train dialogues, measured on the test dialogues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.annotation.final_labels import FinalLabels
from pipeline.config import Section
from pipeline.declare import Folder, In, Metrics, Model, Out, Stage
from pipeline.features.embeddings import CACHE, CachedEmbedder, MiniLm
from pipeline.records import Exchange, FinalLabel, PreferencePair, Response, SplitAssignment
from pipeline.reward_model.encoder import FrozenEncoder
from pipeline.reward_model.heads import HeadName
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import (
    Text,
    TextPair,
    compared_pairs,
    rated_pairs,
    text_of,
)
from pipeline.sources.licences import most_restrictive
from pipeline.statistics.calibration import margin_calibration_error, wins
from pipeline.storage import read_table, write_json


class TrainRewardParams(Section):
    """Section `train_reward` of params.yaml.

    What `settings` names is fixed, the rest of a model's settings is searched inside the train
    pairs.
    """

    model: HeadName
    settings: dict[str, float | int | str] = Field(default_factory=dict)


DAG = Stage(machine_dependent=True)


def run(
    params: TrainRewardParams,
    *,
    seed: int,
    exchanges: In[Exchange],
    responses: In[Response],
    splits: In[SplitAssignment],
    preferences: In[Folder],
    labels: In[FinalLabel],
    out: Out[Model],
    metrics: Metrics,
    embeddings: Path = CACHE,
) -> None:
    """Write the model to the folder `out`, and how it does beside the linear head to `metrics`.

    Pairs are any two responses to an exchange whose ratings differ, people's own labels before the
    corpus's, and the pairs that people compared.
    """
    known = {one.id: one for one in read_table(exchanges, Exchange)}
    split_of = {one.exchange_id: one.split for one in read_table(splits, SplitAssignment)}
    people = FinalLabels.read(labels)
    rows = [people.rate(response) for response in read_table(responses, Response)]
    train, test = _pairs(rows, known, split_of, people.better, preferences)
    unlabelled = [
        text_of(known[one.exchange_id], one) for one in rows if split_of[one.exchange_id] == "train"
    ]
    encoder = FrozenEncoder(CachedEmbedder(MiniLm(), embeddings))
    licence = most_restrictive({one.lineage.licence for one in known.values()})
    model = RewardModel(encoder, params.model, params.settings, seed=seed)
    model.fit(train, unlabelled, licence=licence)
    figures: dict[str, Any] = {
        "model": model.facts_.head,
        "asked_for": params.model,
        "why": model.facts_.why,
        "settings": model.settings_,
        "prototypes": model.fitted_.prototypes,
        "train_pairs": len(train),
        "test_pairs": len(test),
        "measures": _measures(model, test),
    }
    if model.facts_.head != "linear":
        linear = RewardModel(encoder, "linear", seed=seed).fit(train, unlabelled)
        figures["linear"] = _measures(linear, test)
    model.note_measures(figures["measures"])
    model.save(out)
    write_json(metrics, figures)


def _pairs(
    rows: Sequence[Response],
    known: dict[str, Exchange],
    split_of: dict[str, Any],
    better: Mapping[str, str],
    preferences: Path,
) -> tuple[list[TextPair], list[TextPair]]:
    """Return the pairs of the train dialogues, with those that people compared, and of the test."""
    train: list[TextPair] = []
    test: list[TextPair] = []
    for name, group in groupby(rows, key=lambda one: one.exchange_id):
        (train if split_of[name] == "train" else test).extend(rated_pairs(known[name], list(group)))
    if better:
        built = {
            row.id: row
            for file in sorted(preferences.glob("*.parquet"))
            for row in read_table(file, PreferencePair)
            if row.id in better and split_of.get(row.exchange_id) == "train"
        }
        dialogue = {name: one.dialogue_id for name, one in known.items()}
        train += [
            TextPair(pair.chosen, pair.rejected, dialogue[pair.group])
            for pair in compared_pairs(built.values(), better, known)
        ]
    return train, test


def _measures(model: RewardModel, test: Sequence[TextPair]) -> dict[str, float] | None:
    """Return accuracy and calibration on `test`, None without a pair to test on."""
    if not test:
        return None
    sides: list[list[Text]] = [[pair.chosen for pair in test], [pair.rejected for pair in test]]
    ahead = model.reward(sides[0]) - model.reward(sides[1])
    return {
        "accuracy": round(float(wins(ahead).mean()), 4),
        "calibration_error": round(margin_calibration_error(ahead), 4),
    }
