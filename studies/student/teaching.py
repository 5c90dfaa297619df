"""The trainings of the study, each done once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.pages import write_page
from pipeline.records import PreferencePair, SFTExample
from pipeline.reporting.student_curves import curves_svg
from pipeline.storage import read_json, write_json
from pipeline.student.params import Dtype, PreferenceParams, TrainingParams
from pipeline.student.run_record import STEPS, write_record
from pipeline.student.teach import Taught, run_facts, teach_dpo, teach_sft
from studies.student.split import SEED

STUDENTS: dict[str, tuple[str, ...]] = {
    "base": (),
    "sft": ("sft",),
    "dpo": ("sft", "dpo"),
    "dpo-authors": ("sft", "dpo-authors"),
    "dpo-onpolicy": ("sft", "dpo-onpolicy"),
}
# Facts of a run that another machine or another day may change without changing the students.
BESIDE = ("packages", "licences")


@dataclass(frozen=True)
class TeachingPlan:
    """How much is taught in the one epoch that a processor core has time for.

    The rates are above the published 5e-5, which is for three epochs of twice the steps and more.
    """

    examples: int = 640
    pairs: int = 300
    context: int = 1024
    dtype: Dtype = "bfloat16"
    sft_rate: float = 2e-4
    dpo_rate: float = 1e-4

    def settings(self) -> dict[str, Any]:
        """Return what both steps share."""
        return {
            "epochs": 1,
            "batch_size": 4,
            "context": self.context,
            "dtype": self.dtype,
            "schedule": "linear",
            "warmup_share": 0.1,
        }


PLAN = TeachingPlan()


def teach_first(rows: Sequence[SFTExample], *, base: Path, work: Path) -> dict[str, Any]:
    """Train the supervised student in `work` if it is not there yet; return its run card."""
    params = TrainingParams(learning_rate=PLAN.sft_rate, **PLAN.settings())

    def teach(out: Path) -> Taught:
        return teach_sft(
            rows, params, base=base, out=out, seed=SEED, checkpoints=work / "checkpoints"
        )

    facts = run_facts("sft", rows, params, base, (), SEED)
    return _once(work / "models" / "sft", facts, teach)


def teach_second(
    name: str, rows: Sequence[PreferencePair], *, base: Path, work: Path
) -> dict[str, Any]:
    """Train `name` on the supervised student, as `teach_first` does."""
    params = PreferenceParams(learning_rate=PLAN.dpo_rate, **PLAN.settings())
    parents = (work / "models" / "sft",)

    def teach(out: Path) -> Taught:
        return teach_dpo(
            rows,
            params,
            base=base,
            parents=parents,
            out=out,
            seed=SEED,
            checkpoints=work / "checkpoints",
        )

    facts = run_facts("dpo", rows, params, base, parents, SEED)
    return _once(work / "models" / name, facts, teach)


def _once(out: Path, facts: dict[str, Any], teach: Callable[[Path], Taught]) -> dict[str, Any]:
    """Return the card in `out` if it is of a run with these `facts`, else train."""
    kept = out / "run.json"
    if kept.is_file():
        card: dict[str, Any] = read_json(kept)
        if all(card.get(name) == value for name, value in facts.items() if name not in BESIDE):
            sys.stderr.write(f"{out.name}: trained before on the same data and settings, kept\n")
            return card
    taught = teach(out)
    write_record(out, taught)
    write_page(out / "curves.svg", curves_svg(out / STEPS))
    card = {**taught.card, "curve": _curve(taught)}
    write_json(kept, card)
    return card


def _curve(taught: Taught) -> list[dict[str, Any]]:
    """Return means of a tenth of the steps each."""
    size = max(1, len(taught.steps) // 10)
    parts = [taught.steps[at : at + size] for at in range(0, len(taught.steps), size)]
    means = []
    for part in parts:
        one: dict[str, Any] = {"step": part[-1].step}
        for name in ("loss", "margin", "accuracy", "grad_norm"):
            values = [getattr(step, name) for step in part]
            if None not in values:
                one[name] = round(sum(values) / len(values), 4)
        means.append(one)
    return means
