"""One command per DVC stage. Paths come from dvc.yaml, everything else from params.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PANEL = "Stages (run by `dvc repro`)"
In = Annotated[Path, typer.Option(help="input")]
Out = Annotated[Path, typer.Option(help="output")]
Corpus = Annotated[str, typer.Argument(help="a name under `corpora` in params.yaml")]

Distillation = Annotated[str, typer.Argument(help="a name under `distillations` in params.yaml")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (
        ingest,
        split,
        distil,
        parse,
        build_sft,
        build_preferences,
        count_corpora,
        expect,
        validate,
        featurize,
        train_scorer,
        merge_annotations,
        select_annotations,
        train_reward,
        reward_curve,
    ):
        app.command(command.__name__, rich_help_panel=PANEL)(command)


def ingest(exchanges: Out, responses: Out, rejections: Out, metrics: Out) -> None:
    """Read the raw corpus into exchanges and responses."""
    from pipeline.params import load_params
    from pipeline.stages import ingest as stage

    stage.run(
        load_params().ingest,
        exchanges=exchanges,
        responses=responses,
        rejections=rejections,
        metrics=metrics,
    )


def split(exchanges: In, responses: In, out: Out, metrics: Out) -> None:
    """Split exchanges into train and test, by dialogue."""
    from pipeline.params import load_params
    from pipeline.stages import split as stage

    params = load_params()
    stage.run(
        params.split,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        out=out,
        metrics=metrics,
    )


def distil(
    name: Distillation, exchanges: In, responses: In, splits: In, out: Out, rejections: Out
) -> None:
    """Ask the teacher; answers are kept in the ledger and paid for once."""
    from pipeline.cli.console import note
    from pipeline.llm.live import spent_line
    from pipeline.params import load_params
    from pipeline.stages import distil as stage

    params = load_params()
    teacher = params.llm.teacher
    count = stage.run(
        name,
        params.distillation(name),
        params.distil,
        teacher,
        params.llm.budget,
        params.responders,
        params.prompt,
        exchanges=exchanges,
        responses=responses,
        splits=splits,
        out=out,
        rejections=rejections,
    )
    note(f"{name}: {spent_line(count, teacher)}")


def parse(
    name: Distillation,
    exchanges: In,
    completions: In,
    responses: In,
    out: Out,
    rejections: Out,
) -> None:
    """Read responses out of the teacher's raw completions."""
    from pipeline.params import load_params
    from pipeline.stages import parse as stage

    params = load_params()
    stage.run(
        name,
        params.distillation(name),
        params.responders,
        params.prompt,
        exchanges=exchanges,
        completions=completions,
        responses=responses,
        out=out,
        rejections=rejections,
    )


def build_sft(
    corpus: Corpus, exchanges: In, responses: In, splits: In, out: Out, rejections: Out
) -> None:
    """Build one supervised corpus."""
    from pipeline.params import load_params
    from pipeline.stages import build_sft as stage

    params = load_params()
    stage.run(
        params.corpus(corpus),
        params.responders,
        params.prompt,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        splits=splits,
        out=out,
        rejections=rejections,
    )


def build_preferences(
    corpus: Corpus,
    exchanges: In,
    responses: In,
    splits: In,
    strict: Out,
    authors: Out,
    rejections: Out,
) -> None:
    """Build one corpus of preference pairs, under both filters."""
    from pipeline.params import load_params
    from pipeline.stages import build_preferences as stage

    params = load_params()
    stage.run(
        params.corpus(corpus),
        params.responders,
        params.prompt,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        splits=splits,
        strict=strict,
        authors=authors,
        rejections=rejections,
    )


def count_corpora(
    ingest: In, splits: In, sft: In, preferences: In, rejections: In, out: Out
) -> None:
    """Count rows, pairs and rejections of every corpus."""
    from pipeline.params import load_params
    from pipeline.stages import count_corpora as stage

    stage.run(
        corpora=list(load_params().corpora),
        ingest=ingest,
        splits=splits,
        sft=sft,
        preferences=preferences,
        rejections=rejections,
        out=out,
    )


def expect(
    ingest: In,
    accepted: In,
    exchanges: In,
    responses: In,
    splits: In,
    sft: In,
    preferences: In,
    metrics: Out,
    docs: Out,
) -> None:
    """Check every table of the build against its expectations."""
    from pipeline.params import load_params
    from pipeline.stages import expect as stage
    from pipeline.validation.tables import BuildPaths

    params = load_params()
    stage.run(
        params.expect,
        corpora=list(params.corpora),
        ingest=ingest,
        accepted=accepted,
        build=BuildPaths(exchanges, responses, splits, sft, preferences),
        metrics=metrics,
        docs=docs,
    )


def validate(corpus: Corpus, expectations: In, out: Out) -> None:
    """Stop if a critical expectation of one corpus, or of what it was built from, failed."""
    from pipeline.stages import validate as stage

    stage.run(corpus=corpus, expectations=expectations, out=out)


def featurize(exchanges: In, responses: In, out: Out) -> None:
    """Describe every response by features."""
    from pipeline.params import load_params
    from pipeline.stages import featurize as stage

    params = load_params()
    stage.run(params.featurize, seed=params.seed, exchanges=exchanges, responses=responses, out=out)


def train_scorer(
    exchanges: In, responses: In, features: In, splits: In, out: Out, metrics: Out
) -> None:
    """Train the scorer and measure it on held-out dialogues."""
    from pipeline.params import load_params
    from pipeline.stages import train_scorer as stage

    params = load_params()
    stage.run(
        params.train_scorer,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        features=features,
        splits=splits,
        out=out,
        metrics=metrics,
    )


def merge_annotations(rounds: In, labels: Out, metrics: Out, page: Out) -> None:
    """Merge all rounds of labels into final ones, and measure agreement."""
    from pipeline.params import load_params
    from pipeline.stages import merge_annotations as stage

    stage.run(
        load_params().merge_annotations, rounds=rounds, labels=labels, metrics=metrics, page=page
    )


def select_annotations(
    responses: In,
    splits: In,
    rounds: In,
    out: Out,
    metrics: Out,
    findings: Annotated[Path | None, typer.Option(help="folder of the audit's findings")] = None,
    scores: Annotated[Path | None, typer.Option(help="suggestions of scorers")] = None,
) -> None:
    """Pick the responses that people should label next."""
    from pipeline.params import load_params
    from pipeline.stages import select_annotations as stage

    params = load_params()
    stage.run(
        params.select_annotations,
        seed=params.seed,
        responses=responses,
        splits=splits,
        rounds=rounds,
        out=out,
        metrics=metrics,
        scores=scores,
        findings=findings,
    )


def train_reward(
    exchanges: In,
    responses: In,
    splits: In,
    preferences: In,
    labels: In,
    out: Out,
    metrics: Out,
) -> None:
    """Train the reward model and measure it on held-out dialogues."""
    from pipeline.params import load_params
    from pipeline.stages import train_reward as stage

    params = load_params()
    stage.run(
        params.train_reward,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        splits=splits,
        preferences=preferences,
        labels=labels,
        out=out,
        metrics=metrics,
    )


def reward_curve(exchanges: In, responses: In, splits: In, metrics: Out, figure: Out) -> None:
    """Measure reward models by the number of labels they were given."""
    from pipeline.params import load_params
    from pipeline.stages import reward_curve as stage

    stage.run(
        load_params().reward_curve,
        exchanges=exchanges,
        responses=responses,
        splits=splits,
        metrics=metrics,
        figure=figure,
    )
