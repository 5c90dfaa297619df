"""Probabilities for responses that a scorer was trained on, by scorers that did not see them."""

from __future__ import annotations

import numpy as np

from pipeline.features.table import Array, FeatureTable
from pipeline.scoring.rated import CLASSES, Names, RatedSet
from pipeline.scoring.scorer import Scorer, spread
from pipeline.statistics.splits import fold_of_groups


def predict_out_of_dialogue(
    table: FeatureTable, dialogues: Names, rated: RatedSet, *, model: str, folds: int, seed: int
) -> Array:
    """Return probabilities (rows of `table`, 1 to 3), each by a scorer that saw no such dialogue.

    `dialogues` are those of the rows; of `rated`, those in the table are learned from.
    """
    fold_of = fold_of_groups(dialogues, folds, seed)
    folded = np.array([fold_of[name] for name in dialogues.tolist()])
    learned = np.array([fold_of.get(name, -1) for name in rated.dialogues.tolist()])
    chances = np.empty((len(table.ids), len(CLASSES)))
    for fold in sorted(set(fold_of.values())):
        train = rated.take(np.flatnonzero(learned != fold))
        scorer = Scorer(model, seed=seed).fit(table.rows(train.ids.tolist()), train)
        asked = np.flatnonzero(folded == fold)
        part = table.rows([table.ids[row] for row in asked])
        chances[asked] = spread(scorer.predict_proba(part), scorer.classes_)
    return chances
