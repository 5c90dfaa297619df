"""The stages that make students. Their kernels are pinned before torch is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.stages import PANEL, Corpus, In, Out

if TYPE_CHECKING:
    from pipeline.student.params import Device

Model = Annotated[str, typer.Argument(help="a name under `models` in params.yaml")]
Checked = Annotated[Path, typer.Option(help="verdicts that must be good")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (base_model, train_sft, train_dpo, generate):
        app.command(command.__name__, rich_help_panel=PANEL)(command)


def base_model(out: Out) -> None:
    """Make the model that students start from."""
    from pipeline.config import home
    from pipeline.params import load_params
    from pipeline.stages import base_model as stage

    stage.run(load_params().base_model, home=home(), out=out)


def train_sft(
    corpus: Corpus,
    examples: In,
    base: In,
    validation: Checked,
    audit: Checked,
    out: Out,
    report: Out,
    rejections: Out,
    metrics: Out,
) -> None:
    """Train a student's first step on supervised examples."""
    from pipeline.config import home
    from pipeline.params import load_params
    from pipeline.stages import train_sft as stage
    from pipeline.student.device import pin_kernels

    pin_kernels()
    params = load_params()
    _say_device(params.train_sft.device)
    stage.run(
        params.train_sft,
        corpus=corpus,
        seed=params.seed,
        examples=examples,
        base=base,
        validation=validation,
        audit=audit,
        out=out,
        report=report,
        rejections=rejections,
        metrics=metrics,
        checkpoints=home() / "checkpoints",
    )


def train_dpo(
    corpus: Corpus,
    pairs: In,
    base: In,
    sft: In,
    validation: Checked,
    audit: Checked,
    out: Out,
    report: Out,
    rejections: Out,
    metrics: Out,
) -> None:
    """Train a student's second step on preferences."""
    from pipeline.config import home
    from pipeline.params import load_params
    from pipeline.stages import train_dpo as stage
    from pipeline.student.device import pin_kernels

    pin_kernels()
    params = load_params()
    _say_device(params.train_dpo.device)
    stage.run(
        params.train_dpo,
        corpus=corpus,
        seed=params.seed,
        pairs=pairs,
        base=base,
        sft=sft,
        validation=validation,
        audit=audit,
        out=out,
        report=report,
        rejections=rejections,
        metrics=metrics,
        checkpoints=home() / "checkpoints",
    )


def generate(
    model: Model, exchanges: In, splits: In, student: In, out: Out, rejections: Out
) -> None:
    """Write what a model says to the held-out exchanges."""
    from pipeline.params import load_params
    from pipeline.stages import generate as stage
    from pipeline.student.device import pin_kernels

    pin_kernels()
    params = load_params()
    _say_device(params.generate.device)
    stage.run(
        params.generate,
        params.prompt,
        model=model,
        seed=params.seed,
        exchanges=exchanges,
        splits=splits,
        student=student,
        out=out,
        rejections=rejections,
    )


def _say_device(wanted: Device) -> None:
    from pipeline.cli.console import note
    from pipeline.student.device import choose_device, describe_device, quiet_libraries

    quiet_libraries()
    note(f"on {describe_device(choose_device(wanted))}")
