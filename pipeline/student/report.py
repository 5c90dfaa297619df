"""What a training leaves besides the adapter: a table of steps, curves, measures, a run card."""

from __future__ import annotations

import csv
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pipeline.storage import AtomicFile, write_json
from pipeline.student.teach import Taught
from pipeline.student.training import StepLog

STEPS = "steps.csv"
CURVES = "curves.svg"
RUN_CARD = "run.json"


def write_report(folder: Path, taught: Taught) -> None:
    """Write `steps.csv`, `curves.svg` and `run.json` to `folder`."""
    write_json(folder / RUN_CARD, taught.card)
    with AtomicFile(folder / STEPS) as part, part.open("w", encoding="utf-8", newline="") as stream:
        names = [*(field.name for field in fields(StepLog)), "tokens_per_s"]
        table = csv.DictWriter(stream, names, lineterminator="\n")
        table.writeheader()
        for step in taught.steps:
            table.writerow({**asdict(step), "tokens_per_s": round(step.tokens / step.seconds)})
    draw_curves(folder / CURVES, taught.steps)


def measures(taught: Taught) -> dict[str, Any]:
    """Return the figures of a run: where its loss began and ended, how fast it went."""
    first, last = taught.steps[0], taught.steps[-1]
    figures = {
        "steps": len(taught.steps),
        "trained_rows": taught.card["trained_rows"],
        "rejected_rows": taught.card["rejected_rows"],
        "loss_first": round(first.loss, 5),
        "loss_last": round(last.loss, 5),
        "grad_norm_last": round(last.grad_norm, 5),
    }
    if last.margin is not None:
        figures |= {"margin_last": round(last.margin, 5), "accuracy_last": last.accuracy}
    seconds = sum(step.seconds for step in taught.steps)
    figures["tokens_per_s"] = round(sum(step.tokens for step in taught.steps) / seconds)
    return figures


def draw_curves(path: Path, steps: tuple[StepLog, ...]) -> None:
    """Draw loss, gradient norm and, where there are any, margin and accuracy, one below another."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    names = ["loss", "grad_norm"]
    if steps[0].margin is not None:
        names += ["margin", "accuracy"]
    figure = Figure(figsize=(6, 1.7 * len(names)), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for axis, name in zip(axes, names, strict=True):
        axis.plot([step.step for step in steps], [getattr(step, name) for step in steps], lw=1.5)
        axis.set_ylabel(name.replace("_", " "))
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("optimiser step")
    with AtomicFile(path) as part:
        figure.savefig(part, format="svg", metadata={"Date": None})
