"""Two judges trained on human ratings, each on its own half of dialogues and its own features.

Dialogues of one collection task stay together. Neither judge saw a dialogue that a student was
taught or is tested on, and neither reads a feature that the other reads.

A judge has two parts: what people would rate the reply if it belongs here (a scorer), and whether
it does (`relevance`). A reply that does not is rated 1: what a judge expects is the mean of the two
cases. People rated no reply that misses, so ratings alone teach nothing about it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from pipeline.evaluation.judges import PointwiseJudge
from pipeline.features.coder import BehaviourCoder, CodedSentence, code_out_of_fold, coded_sentences
from pipeline.features.context import context_tables
from pipeline.features.embeddings import Embedder
from pipeline.features.presence import presence_table
from pipeline.features.table import Array, join
from pipeline.features.text import text_version
from pipeline.scoring.features import combination
from pipeline.scoring.predict import expected_ratings, probabilities
from pipeline.scoring.rated import rated_set
from pipeline.scoring.saved import FACTS, describe, save
from pipeline.scoring.scorer import Scorer
from pipeline.sources import ReadOptions, Sourced, get_source
from pipeline.sources.licences import most_restrictive
from pipeline.storage import read_json
from studies.judging.dialogues import MAX_CHARS, SEED, Pairs, pairs_of
from studies.judging.relevance import Pairs as AnyPairs
from studies.judging.relevance import (
    Reading,
    echoes,
    learn_relevance,
    misplaced,
)

MARGIN = 0.05
LENIENCY: Final = "empirical_bayes"
FOLDS = 5
CODED = "welivita2023/dataset_and_ratings.csv"

Missing = Literal["misplaced", "echoes"]


@dataclass(frozen=True)
class JudgePlan:
    """What a judge reads and how it learns; without `relevance` it is the scorer alone.

    `belonging` is the share of the replies to be judged that are taken to belong where they are.
    `missing` are replies that do not, with which a scorer alone is taught: rated 1.
    """

    name: str
    features: str
    model: str
    relevance: Reading | None = None
    belonging: float = 0.5
    missing: tuple[Missing, ...] = ()


# Chosen on the judges' dialogues alone, each half tested on the other (`trials`).
PLANS = (
    JudgePlan("judge 1", "MiniLM", "ridge-ordinal", "cosines", 0.5),
    JudgePlan("judge 2", "text+MITI coded", "boosting", "shared words", 0.9),
)
# Those before them, which saw ratings alone: their figures are kept beside.
BEFORE = (
    JudgePlan("judge 1 before", "MiniLM+MiniLM exchange", "ridge-ordinal"),
    JudgePlan("judge 2 before", "text+MITI coded", "ordinal"),
)


@dataclass(frozen=True)
class TrainedJudge:
    """A judge and what it makes of single replies: probabilities (pairs, 3) of 1, 2 and 3."""

    plan: JudgePlan
    folder: Path
    probabilities: Callable[[AnyPairs], Array]
    judge: PointwiseJudge


def halves(dialogues: Sequence[tuple[str, str]], *, seed: int) -> tuple[set[str], set[str]]:
    """Part (dialogue id, collection task) pairs into two sets of dialogues of about equal size."""
    by_task: dict[str, list[str]] = {}
    for dialogue, task in dialogues:
        by_task.setdefault(task, []).append(dialogue)
    order = sorted(by_task)
    random.Random(seed).shuffle(order)  # noqa: S311  a split is no secret
    first: set[str] = set()
    for task in order:
        if len(first) < len(dialogues) / 2:
            first.update(by_task[task])
    return first, {dialogue for dialogue, _ in dialogues} - first


def read_silver(data: Path, dialogues: Collection[str]) -> list[CodedSentence]:
    """Return the sentences of `dialogues` that the earlier study codes; no rating is read."""
    source = get_source("welivita2023").read(data / CODED, ReadOptions(max_chars=MAX_CHARS))
    return list(
        coded_sentences(
            (one.exchange.dialogue_id, response)
            for one in source
            if isinstance(one, Sourced) and one.exchange.dialogue_id in dialogues
            for response in one.responses
        )
    )


def teach_judge(
    plan: JudgePlan,
    dialogues: Mapping[str, Sourced],
    half: Collection[str],
    data: Path,
    folder: Path,
    embedder: Embedder,
) -> TrainedJudge:
    """Return the judge of `plan`, taught by the dialogues `half` and kept in `folder`."""
    return train_judge(
        plan,
        pairs_of(dialogues, sorted(half)),
        read_silver(data, half) if "MITI coded" in plan.features else [],
        folder / plan.name.replace(" ", "_"),
        embedder,
        seed=SEED,
    )


def train_judge(
    plan: JudgePlan,
    pairs: Pairs,
    silver: Sequence[CodedSentence],
    folder: Path,
    embedder: Embedder,
    *,
    seed: int,
) -> TrainedJudge:
    """Train a judge on rated `pairs`, or take the scorer that `folder` holds already.

    Where it reads codes, the training replies are coded by coders that did not see their dialogue.
    """
    taught = [*pairs, *_rated_one(plan.missing, pairs, seed)]
    if not _is_trained(folder, plan, len(taught)):
        embedded = "MiniLM" in plan.features
        tables = context_tables(taught, embedder if embedded else None)
        coder = None
        if "MITI coded" in plan.features:
            texts = [(exchange.dialogue_id, response.text) for exchange, response in taught]
            found = code_out_of_fold(texts, silver, embedder, folds=FOLDS, seed=seed)
            ids = [response.id for _, response in taught]
            tables.append(presence_table("coded", list(zip(ids, found, strict=True))))
            coder = BehaviourCoder(embedder, seed=seed).fit(silver)
        rated = rated_set(taught)
        table = combination(join(tables, rated.ids.tolist()), plan.features)
        scorer = Scorer(plan.model, seed=seed, raters=LENIENCY).fit(table, rated)
        facts = describe(
            scorer,
            table,
            features=plan.features,
            embedder=embedder.name,
            licence=most_restrictive({exchange.lineage.licence for exchange, _ in taught}),
        )
        save(folder, scorer, facts, coder)
    belongs = plan.relevance and learn_relevance(
        plan.relevance, pairs, embedder, belonging=plan.belonging, seed=seed
    )

    def chances(asked: AnyPairs) -> Array:
        rated = probabilities(asked, folder, embedder)
        return where_it_belongs(rated, belongs(asked)) if belongs else rated

    judge = PointwiseJudge(plan.name, lambda asked: expected_ratings(chances(asked)), margin=MARGIN)
    return TrainedJudge(plan, folder, chances, judge)


def _rated_one(missing: Sequence[Missing], pairs: Pairs, seed: int) -> Pairs:
    """Return the replies that miss, of the kinds `missing`, with the rating that is for them."""
    found = {"misplaced": misplaced(pairs, copies=1, seed=seed), "echoes": echoes(pairs)}
    return [
        (exchange, response.model_copy(update={"rating": 1}))
        for name in missing
        for exchange, response in found[name]
    ]


def where_it_belongs(rated: Array, belongs: Array) -> Array:
    """Return probabilities of 1, 2 and 3 of replies that belong with `belongs`, else are rated 1.

    `rated` are the probabilities (pairs, 3) of replies that belong.
    """
    missing = np.zeros_like(rated)
    missing[:, 0] = 1 - belongs
    return rated * belongs[:, None] + missing


def _is_trained(folder: Path, plan: JudgePlan, count: int) -> bool:
    """Say whether `folder` holds this judge, learnt from as many responses."""
    if not (folder / FACTS).is_file():
        return False
    known = read_json(folder / FACTS)
    wanted = {
        "features": plan.features,
        "model": plan.model,
        "raters": LENIENCY,
        "trained_on": count,
        "feature_version": text_version(),
    }
    return {name: known.get(name) for name in wanted} == wanted
