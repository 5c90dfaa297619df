"""The second step: preferences (Rafailov et al. 2023, sigmoid loss).

The reference is the model that the step starts from. What it says about every answer is computed
once and kept beside the checkpoints, so no second model is held and no epoch pays for it again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.student.device import choose_device
from pipeline.student.encoding import Encoded
from pipeline.student.params import PreferenceParams
from pipeline.student.training import (
    Outcome,
    batches_of,
    lora_config,
    make_repeatable,
    run_trainer,
    trainer_settings,
)

REFERENCE = "reference.npy"
LN2_TOLERANCE = 1e-3


def train_dpo(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Encoded],
    params: PreferenceParams,
    *,
    work: Path,
    out: Path,
    seed: int,
) -> Outcome:
    """Train an adapter of `model` on the pairs `rows` and save it to `out`.

    Raises PipelineError if the first loss is not ln 2: policy and reference are the same then, so
    anything else means that they were not given the same text.
    """
    from datasets import Dataset
    from transformers import set_seed
    from trl import DPOConfig, DPOTrainer

    device = choose_device(params.device)
    batches = batches_of(rows, params, seed)
    steps = -(-len(batches) // params.accumulation)
    settings = trainer_settings(params, work, steps=steps, seed=seed, device=device)

    class WithKeptReference(make_repeatable(DPOTrainer, batches, rows)):  # type: ignore[misc]
        def _precompute_ref_logps(self, dataset: Any, *_: Any) -> Any:
            chosen, rejected = _reference(self, dataset, batches, work / REFERENCE)
            return dataset.add_column("ref_chosen_logps", chosen).add_column(
                "ref_rejected_logps", rejected
            )

    set_seed(seed)
    trainer = WithKeptReference(
        model=model,
        ref_model=None,
        args=DPOConfig(
            **settings, beta=params.beta, loss_type="sigmoid", precompute_ref_log_probs=True
        ),
        train_dataset=Dataset.from_list([_columns(row) for row in rows]),
        processing_class=tokenizer,
        peft_config=lora_config(params, model.config.num_hidden_layers),
    )
    outcome = run_trainer(trainer, work, device=device)
    first = outcome.steps[0].loss
    if abs(first - math.log(2)) > LN2_TOLERANCE:
        raise PipelineError(
            f"the first loss is {first:.5f}, not ln 2: policy and reference differ at the start\n"
            f"Remove {work} and run the stage again; if it comes back, please report it."
        )
    trainer.model.save_pretrained(str(out))
    return outcome


def _columns(row: Encoded) -> dict[str, list[int]]:
    chosen, rejected = row.answers
    return {
        "prompt_ids": list(row.prompt),
        "chosen_ids": list(chosen),
        "rejected_ids": list(rejected),
    }


def _reference(
    trainer: Any, dataset: Any, batches: Sequence[Sequence[int]], kept: Path
) -> tuple[list[float], list[float]]:
    """Return the reference's log-probabilities of all chosen and all rejected answers.

    They are computed in the batches of the first epoch that holds a row, so that padding, and with
    it rounding, is that of the first training steps. Rows of no batch stay 0 and are never read.
    """
    if kept.is_file():
        values = np.load(kept, allow_pickle=False)
    else:
        values = np.zeros((2, len(dataset)), dtype=np.float32)
        missing = set(range(len(dataset)))
        trainer.model.eval()
        for batch in batches:
            if missing.isdisjoint(batch):
                continue
            missing.difference_update(batch)
            inputs = trainer.data_collator([dataset[at] for at in batch])
            inputs = trainer._prepare_inputs(inputs)
            sides = trainer.compute_ref_log_probs(trainer.model, inputs)
            for side, found in enumerate(sides):
                values[side, batch] = found.float().cpu().numpy()
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(".reference.part.npy")
        np.save(part, values, allow_pickle=False)
        part.replace(kept)
    return values[0].tolist(), values[1].tolist()
