"""What was tried as a judge, on the judges' own dialogues: each half tested on the other.

No student's reply and no test dialogue is read. The choice: of the plans whose accuracy on strict
pairs is within a hundredth of that of their ratings alone, the one that best tells a reply from a
misplaced one, an echo of the speaker being no reply either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.evaluation.judges import Judge, reward_judge
from pipeline.features.embeddings import CachedEmbedder, Embedder, MiniLm
from pipeline.reward_model.encoder import FrozenEncoder
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import rated_pairs, text_of
from pipeline.sources import Sourced
from pipeline.storage import read_json
from studies.judging.dialogues import SEED, pairs_of, read_rated
from studies.judging.judges import BEFORE, PLANS, JudgePlan, halves, teach_judge
from studies.judging.quality import verdict_quality

TEXT, CODED = "text", "text+MITI coded"
PLANNED = (
    *PLANS,
    *BEFORE,
    JudgePlan("embeddings, ratings alone", "MiniLM", "ridge-ordinal"),
    JudgePlan("embeddings, 0.9 belong", "MiniLM", "ridge-ordinal", "cosines", 0.9),
    JudgePlan("embeddings, 0.8 belong", "MiniLM", "ridge-ordinal", "cosines", 0.8),
    JudgePlan("text, ratings alone", TEXT, "boosting"),
    JudgePlan("text and codes, ratings alone", CODED, "boosting"),
    JudgePlan("text and codes, half belong", CODED, "boosting", "shared words"),
    JudgePlan("text and codes, 0.8 belong", CODED, "boosting", "shared words", 0.8),
    JudgePlan("text, misplaced replies rated 1", TEXT, "boosting", missing=("misplaced",)),
    JudgePlan(
        "text, misplaced and echoes rated 1", TEXT, "boosting", missing=("misplaced", "echoes")
    ),
)
PAIRWISE = "pairs within a dialogue"


def judge_trials(data: Path, work: Path) -> list[dict[str, Any]]:
    """Return one row per plan; its figures are means over the two halves."""
    dialogues, embedder = read_rated(data), CachedEmbedder(MiniLm())
    known = read_json(work / "splits.json")["judges"]
    first, second = halves(
        [(one, dialogues[one].exchange.collection_id or one) for one in known], seed=SEED
    )
    rows: dict[str, list[dict[str, Any]]] = {}
    for taught, held, folder in ((first, second, "first"), (second, first, "second")):
        pairs = pairs_of(dialogues, sorted(held))
        exchanges = [dialogues[one].exchange for one in sorted(held)]
        judges: dict[str, Judge] = {
            plan.name: teach_judge(
                plan, dialogues, taught, data, work / "trials" / folder, embedder
            ).judge
            for plan in PLANNED
        }
        judges[PAIRWISE] = _pairwise([dialogues[one] for one in sorted(taught)], embedder)
        for name, judge in judges.items():
            rows.setdefault(name, []).append(verdict_quality(judge, pairs, exchanges))
    return [{**_described(name), **_means(found)} for name, found in rows.items()]


def _pairwise(taught: Sequence[Sourced], embedder: Embedder) -> Judge:
    """Return the judge that learned from every two replies to one exchange, not from ratings."""
    model = RewardModel(FrozenEncoder(embedder), "linear", seed=SEED).fit(
        [pair for one in taught for pair in rated_pairs(one.exchange, one.responses)],
        [text_of(one.exchange, response) for one in taught for response in one.responses],
    )
    return reward_judge(model, name=PAIRWISE, margin=0)


def _described(name: str) -> dict[str, Any]:
    for plan in PLANNED:
        if plan.name == name:
            return {
                "judge": name,
                "features": plan.features,
                "model": plan.model,
                "relevance": plan.relevance,
                "belonging": plan.belonging if plan.relevance else None,
                "taught_as_1": list(plan.missing),
                "chosen": plan in PLANS,
            }
    return {"judge": name, "features": "MiniLM", "model": "linear reward", "chosen": False}


def _means(found: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {
        name: round(float(np.mean([one[name]["accuracy"] for one in found])), 4)
        for name in found[0]
    }
