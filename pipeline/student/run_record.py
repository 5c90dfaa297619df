"""What a training leaves besides the adapter: a table of steps, measures, a run card."""

from __future__ import annotations

import csv
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pipeline.storage import AtomicFile, write_json
from pipeline.student.teach import Taught
from pipeline.student.training import StepLog

STEPS = "steps.csv"
RUN_CARD = "run.json"


def write_record(folder: Path, taught: Taught) -> None:
    """Write `steps.csv` and `run.json` to `folder`."""
    write_json(folder / RUN_CARD, taught.card)
    with AtomicFile(folder / STEPS) as part, part.open("w", encoding="utf-8", newline="") as stream:
        names = [*(field.name for field in fields(StepLog)), "tokens_per_s"]
        table = csv.DictWriter(stream, names, lineterminator="\n")
        table.writeheader()
        for step in taught.steps:
            table.writerow({**asdict(step), "tokens_per_s": round(step.tokens / step.seconds)})


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
