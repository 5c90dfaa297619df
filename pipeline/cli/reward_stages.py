"""The commands of the stages that train and measure reward models."""

from __future__ import annotations

import typer

from pipeline.cli.stages import PANEL, In, Out


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (train_reward, reward_curve):
        app.command(command.__name__, rich_help_panel=PANEL)(command)


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
