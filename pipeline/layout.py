"""Where every file of a build stands: the one table of paths.

A parameter of a stage's `run` finds its path under `stage.parameter`, or else under its own name.
What no line names stands where every stage's own files stand: its metrics, its rejections.
`{key}` is the item that a stage runs for; `{parents}` and the like are keys of that item's entry in
params.yaml, and `{train_dpo.pairs}` is a key of params.yaml itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

CODE_KEYS = "code.yaml"
PATHS: Mapping[str, str] = MappingProxyType(
    {
        # Read by many.
        "exchanges": "datasets/exchanges.parquet",
        "responses": "datasets/responses",
        "source": "datasets/responses/source.parquet",
        "splits": "datasets/splits.parquet",
        "sft": "datasets/sft",
        "preferences": "datasets/preferences",
        "features": "datasets/features.parquet",
        "generations": "datasets/generations",
        "students": "datasets/students",
        "base": "datasets/students/base_model",
        "scorer": "datasets/scorer",
        "reward": "datasets/reward",
        "selection": "datasets/annotations/selection.parquet",
        "labels": "datasets/annotations/labels.parquet",
        "ratings": "datasets/model_ratings.parquet",
        "suggestions": "datasets/annotations/suggestions.jsonl",
        "rounds": "annotations/rounds",
        "guidelines": "annotations/guidelines",
        "findings": "datasets/audit",
        "audit": "reports/metrics/audit.json",
        "expectations": "reports/metrics/expectations.json",
        "validation": "reports/metrics/validation/{key}.json",
        "accepted": "reports/accepted.json",
        "studies": "reports/studies",
        "all_metrics": "reports/metrics",
        "training": "datasets/training",
        "sample_ratings": "datasets/sample/model_ratings.jsonl",
        # Of one stage.
        "code.package": "pipeline",
        "code.out": CODE_KEYS,
        "ingest.responses": "datasets/responses/source.parquet",
        "split.responses": "datasets/responses/source.parquet",
        "split.out": "datasets/splits.parquet",
        "split.metrics": "reports/metrics/splits.json",
        "distil.responses": "datasets/responses/{parents}.parquet",
        "distil.out": "datasets/completions/{key}.parquet",
        "parse.completions": "datasets/completions/{key}.parquet",
        "parse.responses": "datasets/responses/{parents}.parquet",
        "parse.out": "datasets/responses/{key}.parquet",
        "build_sft.responses": "datasets/responses/{responses}.parquet",
        "build_sft.out": "datasets/sft/{key}.parquet",
        "build_sft.rejections": "datasets/rejections/sft/{key}.parquet",
        "build_preferences.responses": "datasets/responses/{responses}.parquet",
        "build_preferences.strict": "datasets/preferences/strict/{key}.parquet",
        "build_preferences.authors": "datasets/preferences/authors/{key}.parquet",
        "build_preferences.rejections": "datasets/rejections/preferences/{key}.parquet",
        "count_corpora.ingest": "reports/metrics/ingest.json",
        "count_corpora.splits": "reports/metrics/splits.json",
        "count_corpora.sft_rejections": "datasets/rejections/sft",
        "count_corpora.pair_rejections": "datasets/rejections/preferences",
        "count_corpora.out": "reports/metrics/corpora.json",
        "describe_corpora.out": "reports/metrics/descriptions.json",
        "expect.ingest": "reports/metrics/ingest.json",
        "expect.metrics": "reports/metrics/expectations.json",
        "expect.out": "datasets/validation.json",
        "validate.out": "reports/metrics/validation/{key}.json",
        "audit.out": "datasets/audit",
        "merge_annotations.metrics": "reports/metrics/annotations.json",
        "featurize.responses": "datasets/responses/source.parquet",
        "featurize.out": "datasets/features.parquet",
        "rate.responses": "datasets/responses/source.parquet",
        "rate.out": "datasets/model_ratings.parquet",
        "rate.metrics": "reports/metrics/model_ratings.json",
        "train_scorer.responses": "datasets/responses/source.parquet",
        "train_scorer.out": "datasets/scorer",
        "train_scorer.metrics": "reports/metrics/scorer.json",
        "evaluate_scorers.responses": "datasets/responses/source.parquet",
        "evaluate_scorers.raters": "reports/metrics/model_ratings.json",
        "evaluate_scorers.out": "reports/metrics/scorers/{key}.json",
        "suggest_labels.responses": "datasets/responses/source.parquet",
        "suggest_labels.out": "datasets/annotations/suggestions.jsonl",
        "suggest_labels.metrics": "reports/metrics/suggestions.json",
        "select_annotations.responses": "datasets/responses/source.parquet",
        "select_annotations.scores": "datasets/annotations/suggestions.jsonl",
        "select_annotations.out": "datasets/annotations/selection.parquet",
        "select_annotations.metrics": "reports/metrics/selection.json",
        "base_model.out": "datasets/students/base_model",
        "train_sft.examples": "datasets/sft/{key}.parquet",
        "train_sft.out": "datasets/students/{key}/sft",
        "train_sft.record": "datasets/training/{key}/sft",
        "train_sft.metrics": "reports/metrics/students/{key}/sft.json",
        "train_dpo.pairs": "datasets/preferences/{train_dpo.pairs}/{key}.parquet",
        "train_dpo.sft": "datasets/students/{key}/sft",
        "train_dpo.out": "datasets/students/{key}/dpo",
        "train_dpo.record": "datasets/training/{key}/dpo",
        "train_dpo.metrics": "reports/metrics/students/{key}/dpo.json",
        "generate.student": "datasets/students/{student}",
        "generate.out": "datasets/generations/{key}.parquet",
        "evaluate.evaluation": "reports/metrics/evaluation.json",
        "evaluate.replies": "reports/metrics/replies.json",
        "evaluate.contests": "datasets/contests.parquet",
        "train_reward.responses": "datasets/responses/source.parquet",
        "train_reward.preferences": "datasets/preferences/strict",
        "train_reward.out": "datasets/reward",
        "train_reward.metrics": "reports/metrics/reward.json",
        "reward_curve.responses": "datasets/responses/source.parquet",
        "report.page": "reports/index.html",
        "report.cards": "reports/cards",
        "report.comparison": "reports/evaluation",
        "report.validation": "reports/validation/index.html",
        "report.annotation": "reports/annotation/index.html",
        "report.audits": "reports/audit",
        "report.reward_curve": "reports/reward/curve.svg",
        "report.student_curves": "reports/students",
    }
)
# Of a stage that no line names: one file, or one file per item.
_OWN = {
    "metrics": ("reports/metrics/{stage}.json", "reports/metrics/{stage}/{key}.json"),
    "rejections": (
        "datasets/rejections/{stage}.parquet",
        "datasets/rejections/{stage}/{key}.parquet",
    ),
}
_HOLE = re.compile(r"\{([a-z_.]+)\}")


def pattern(stage: str, parameter: str, *, each: bool) -> str | None:
    """Return the path of a stage's parameter with its holes, or None where no line names it."""
    for name in (f"{stage}.{parameter}", parameter):
        if name in PATHS:
            return PATHS[name]
    if parameter in _OWN:
        return _OWN[parameter][each].replace("{stage}", stage)
    return None


def fill(path: str, holes: Mapping[str, str]) -> str:
    """Return a path of the table with its holes filled; one without a value stays as it is."""
    return _HOLE.sub(lambda hole: holes.get(hole.group(1), hole.group()), path)


def holes(path: str) -> list[str]:
    """Return the names of the holes of a path of the table."""
    return _HOLE.findall(path)


def place(name: str, **holes: str) -> str:
    """Return the path called `name`, alone or as `stage.parameter`, with its holes filled."""
    path = PATHS.get(name)
    if path is None:
        stage, _, parameter = name.partition(".")
        path = pattern(stage, parameter, each="key" in holes)
    if path is None:
        raise KeyError(name)
    return fill(path, holes)


def path_of(name: str, **holes: str) -> Path:
    """Return `place` as a path."""
    return Path(place(name, **holes))
