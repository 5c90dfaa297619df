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
        describe_corpora,
        expect,
        validate,
        report,
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
    name: Distillation,
    exchanges: In,
    responses: In,
    splits: In,
    out: Out,
    rejections: Out,
    metrics: Out,
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
        metrics=metrics,
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


def describe_corpora(
    exchanges: In,
    responses: In,
    splits: In,
    sft: In,
    preferences: In,
    out: Out,
) -> None:
    """Describe what is in every corpus: who wrote it, how long it is, which feelings."""
    from pipeline.params import load_params
    from pipeline.stages import describe_corpora as stage

    params = load_params()
    stage.run(
        params.corpora,
        params.responders,
        exchanges=exchanges,
        responses=responses,
        splits=splits,
        sft=sft,
        preferences=preferences,
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
    from pipeline.cli.leftovers import refuse_leftovers
    from pipeline.params import load_params
    from pipeline.stages import expect as stage
    from pipeline.validation.tables import BuildPaths

    params = load_params()
    refuse_leftovers(
        {
            responses: {"source", *params.distillations},
            sft: params.corpora,
            preferences / "strict": params.corpora,
            preferences / "authors": params.corpora,
        }
    )
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


def report(page: Out, cards: Out) -> None:
    """Write the cards and the page to open first, from the files of this folder."""
    from pipeline.params import load_params
    from pipeline.stages import report as stage

    stage.run(load_params().model_dump(mode="json"), root=Path(), page=page, cards=cards)
