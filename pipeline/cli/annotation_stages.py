"""The commands of those DVC stages that labels come from and go to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.stages import PANEL, In, Out


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (merge_annotations, suggest_labels, select_annotations):
        app.command(command.__name__, rich_help_panel=PANEL)(command)


def merge_annotations(rounds: In, labels: Out, metrics: Out, page: Out) -> None:
    """Merge all rounds of labels into final ones, and measure agreement."""
    from pipeline.params import load_params
    from pipeline.stages import merge_annotations as stage

    stage.run(
        load_params().merge_annotations, rounds=rounds, labels=labels, metrics=metrics, page=page
    )


def suggest_labels(
    exchanges: In,
    responses: In,
    features: In,
    splits: In,
    labels: In,
    ratings: In,
    out: Out,
    metrics: Out,
) -> None:
    """Write what models would answer, for routing and as suggestions."""
    from pipeline.params import load_params
    from pipeline.stages import suggest_labels as stage

    params = load_params()
    stage.run(
        params.suggest_labels,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        features=features,
        splits=splits,
        labels=labels,
        ratings=ratings,
        out=out,
        metrics=metrics,
    )


def select_annotations(
    responses: In,
    splits: In,
    rounds: In,
    out: Out,
    metrics: Out,
    findings: Annotated[Path | None, typer.Option(help="folder of the audit's findings")] = None,
    scores: Annotated[Path | None, typer.Option(help="suggestions of scorers")] = None,
    features: Annotated[Path | None, typer.Option(help="features, for diversity")] = None,
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
        features=features,
    )
