"""Study `judging`: what the judges of the student study are worth, on replies that people rated.

The five rated responders stand in for models, people's replies for the base: do the judges rank
them as the ratings do, do they see that a reply belongs to another dialogue, do they like
the longer one of two equals, and what do they make of replies without any thought?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import home
from pipeline.errors import MissingFileError
from pipeline.evaluation.comparison import (
    Comparison,
    Meeting,
    Options,
    compare,
    rounded,
    rounded_ci,
)
from pipeline.evaluation.contests import NULLS, by_responder, null_models
from pipeline.evaluation.judge_agreement import JudgeAgreement
from pipeline.evaluation.judges import Judge, PointwiseJudge, longer_judge
from pipeline.features.embeddings import CachedEmbedder, MiniLm
from pipeline.features.table import Array
from pipeline.records import Exchange, Response
from pipeline.scoring.predict import expected_ratings
from pipeline.storage import read_json
from studies.judging.dialogues import HUMAN, SEED, Pairs, pairs_of, read_rated
from studies.judging.judges import (
    BEFORE,
    PLANS,
    JudgePlan,
    TrainedJudge,
    halves,
    teach_judge,
)
from studies.judging.quality import (
    pair_quality,
    ranking,
    rating_quality,
    strict_contests,
    verdict_quality,
)
from studies.judging.trials import judge_trials

TOLERANCE = 0.2
TEST_SETS = ("papers", "random")


@dataclass(frozen=True)
class Bench:
    """Trained judges, and the rated replies to both test sets."""

    trained: list[TrainedJudge]
    pairs: dict[str, Pairs]
    embedder: CachedEmbedder

    @property
    def judges(self) -> list[PointwiseJudge]:
        """The judges without what is known of them."""
        return [one.judge for one in self.trained]

    def exchanges(self, test_set: str) -> list[Exchange]:
        """Return the exchanges of a test set, each once."""
        return list({exchange.id: exchange for exchange, _ in self.pairs[test_set]}.values())


def work_folder() -> Path:
    """Return where the student study keeps its split, replies and judges."""
    return home() / "studies" / "student"


def run(data: Path, scratch: Path) -> dict[str, Any]:
    """Return the content of `judges.json`, `responders.json` and `comparison.json`."""
    del scratch
    bench, before = open_bench(data, work_folder()), open_bench(data, work_folder(), BEFORE)
    table = compare_responders(bench)
    return {
        "judges.json": {**describe_judges(before), **describe_judges(bench)},
        "trials.json": judge_trials(data, work_folder()),
        "responders.json": _responders(bench),
        "comparison.json": [row.model_dump(mode="json") for row in table.rows],
        "agreement.json": [agreement_row(one) for one in table.agreements],
    }


def open_bench(data: Path, work: Path, plans: Sequence[JudgePlan] = PLANS) -> Bench:
    """Train the judges on their dialogues of `splits.json`, or take those of an earlier run."""
    if not (work / "splits.json").is_file():
        raise MissingFileError(
            work / "splits.json", hint="Part the dialogues first: python -m studies student"
        )
    splits: dict[str, list[str]] = read_json(work / "splits.json")
    dialogues = read_rated(data)
    embedder = CachedEmbedder(MiniLm())
    tasks = [(one, dialogues[one].exchange.collection_id or one) for one in splits["judges"]]
    trained = [
        teach_judge(plan, dialogues, half, data, work / "judges", embedder)
        for plan, half in zip(plans, halves(tasks, seed=SEED), strict=True)
    ]
    pairs = {name: pairs_of(dialogues, splits[name]) for name in TEST_SETS}
    return Bench(trained, pairs, embedder)


def compare_responders(bench: Bench) -> Comparison:
    """Return the table of the rated responders over people, by the judges and by the ratings."""
    every = [pair for pairs in bench.pairs.values() for pair in pairs]
    outside = by_responder([response for _, response in every])
    exchanges = [one for name in TEST_SETS for one in bench.exchanges(name)]
    models = [replies for name, replies in outside.items() if name != HUMAN]
    meetings = [Meeting(name, HUMAN) for name in (*outside, *NULLS) if name != HUMAN]
    return compare(
        meetings,
        {**outside, **null_models(exchanges, models)},
        {name: bench.exchanges(name) for name in TEST_SETS},
        [*bench.judges, rating_judge()],
        Options(TOLERANCE, SEED),
        beside=[longer_judge()],
    )


def rating_judge() -> Judge:
    """Return the judge that is people's own ratings; whose reply nobody rated has no verdict."""

    def rate(pairs: Sequence[tuple[Exchange, Response]]) -> Array:
        return np.array([np.nan if one.rating is None else one.rating for _, one in pairs])

    return PointwiseJudge("ratings", rate, margin=0)


def describe_judges(bench: Bench) -> dict[str, Any]:
    """Return what each judge reads, and how good it is on both test sets."""
    figures: dict[str, Any] = {}
    for one in bench.trained:
        figures[one.plan.name] = {
            "features": one.plan.features,
            "relevance": one.plan.relevance,
            "model": one.plan.model,
            "trained_on": read_json(one.folder / "scorer.json")["trained_on"],
            **{
                name: {
                    **rating_quality(pairs, one.probabilities(pairs)),
                    **verdict_quality(one.judge, pairs, bench.exchanges(name)),
                }
                for name, pairs in bench.pairs.items()
            },
        }
    words = longer_judge()
    figures["more words"] = {
        name: {"strict_pairs": pair_quality(words, strict_contests(pairs), seed=SEED)}
        for name, pairs in bench.pairs.items()
    }
    return figures


def _responders(bench: Bench) -> dict[str, Any]:
    return {
        test_set: {
            one.plan.name: asdict(ranking(pairs, expected_ratings(one.probabilities(pairs))))
            for one in bench.trained
        }
        for test_set, pairs in bench.pairs.items()
    }


def agreement_row(one: JudgeAgreement) -> dict[str, Any]:
    """Return it as JSON has it, rounded."""
    return {
        "judges": list(one.judges),
        "kappa": rounded(one.kappa),
        "kappa_ci": rounded_ci(one.kappa_ci),
        "raw": rounded(one.raw),
        "raw_ci": rounded_ci(one.raw_ci),
        "n": one.n,
    }
