"""The DVC stages of scorers and raters, one command each; see `pipeline/cli/stages.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.stages import PANEL, In, Out


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (featurize, rate, train_scorer, evaluate_scorers, evaluate):
        app.command(command.__name__, rich_help_panel=PANEL)(command)


def featurize(exchanges: In, responses: In, labels: In, out: Out) -> None:
    """Describe every response by features."""
    from pipeline.params import load_params
    from pipeline.stages import featurize as stage

    params = load_params()
    stage.run(
        params.featurize,
        params.llm.embedder,
        params.llm.budget,
        seed=params.seed,
        exchanges=exchanges,
        responses=responses,
        labels=labels,
        out=out,
    )


def rate(exchanges: In, responses: In, out: Out, rejections: Out, metrics: Out) -> None:
    """Ask the rater model about responses; answers are kept in the ledger and paid for once."""
    from pipeline.cli.console import note
    from pipeline.llm.live import spent_line
    from pipeline.params import load_params
    from pipeline.stages import rate as stage

    params = load_params()
    rater = params.llm.rater
    count = stage.run(
        params.rate,
        rater,
        params.llm.budget,
        exchanges=exchanges,
        responses=responses,
        out=out,
        rejections=rejections,
        metrics=metrics,
    )
    if rater is not None:
        note(f"rate: {spent_line(count, rater)}")


def train_scorer(
    exchanges: In, responses: In, features: In, splits: In, labels: In, out: Out, metrics: Out
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
        labels=labels,
        out=out,
        metrics=metrics,
    )


def evaluate_scorers(
    protocol: Annotated[str, typer.Argument(help="honest or published")],
    exchanges: In,
    responses: In,
    features: In,
    ratings: In,
    raters: In,
    out: Out,
) -> None:
    """Compare scorers, raters and null baselines by one protocol."""
    from typing import get_args

    from pipeline.errors import PipelineError
    from pipeline.params import load_params
    from pipeline.stages import evaluate_scorers as stage

    for known in get_args(stage.Protocol):
        if protocol == known:
            params = load_params()
            stage.run(
                known,
                params.evaluate_scorers,
                seed=params.seed,
                exchanges=exchanges,
                responses=responses,
                features=features,
                ratings=ratings,
                raters=raters,
                out=out,
            )
            return
    raise PipelineError(f"protocol {protocol!r}: not known\nThere are: honest, published")


def evaluate(
    exchanges: In,
    responses: In,
    splits: In,
    generations: In,
    scorer: In,
    reward: In,
    labels: In,
    evaluation: Out,
    replies: Out,
    contests: Out,
    out: Out,
) -> None:
    """Compare models: win rates by every judge on every test set, and measures of replies."""
    from pipeline.cli.console import note
    from pipeline.params import load_params
    from pipeline.reporting.comparison import check_lines
    from pipeline.stages import evaluate as stage

    params = load_params()
    figures = stage.run(
        params.evaluate,
        params.llm,
        params.corpora,
        params.audit,
        params.models,
        seed=params.seed,
        reference_responder=params.responders.reference_responder,
        exchanges=exchanges,
        responses=responses,
        splits=splits,
        generations=generations,
        scorer=scorer,
        reward=reward,
        labels=labels,
        evaluation=evaluation,
        replies=replies,
        contests=contests,
        out=out,
    )
    for line in check_lines(figures):
        note(line)
