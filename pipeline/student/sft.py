"""The first step: supervised examples, the loss on the answer alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.student.device import choose_device
from pipeline.student.encoding import Encoded
from pipeline.student.params import TrainingParams
from pipeline.student.training import (
    LABEL_IGNORED,
    Outcome,
    batches_of,
    lora_config,
    make_repeatable,
    run_trainer,
    trainer_settings,
)


def train_sft(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Encoded],
    params: TrainingParams,
    *,
    work: Path,
    out: Path,
    seed: int,
) -> Outcome:
    """Train an adapter of `model` on `rows` and save it to `out`; `work` holds checkpoints."""
    from datasets import Dataset
    from transformers import set_seed
    from trl import SFTConfig, SFTTrainer

    device = choose_device(params.device)
    batches = batches_of(rows, params, seed)
    steps = -(-len(batches) // params.accumulation)
    settings = trainer_settings(params, work, steps=steps, seed=seed, device=device)
    set_seed(seed)
    trainer = make_repeatable(SFTTrainer, batches, rows)(
        model=model,
        args=SFTConfig(**settings, packing=False),
        train_dataset=Dataset.from_list([_columns(row) for row in rows]),
        processing_class=tokenizer,
        peft_config=lora_config(params, model.config.num_hidden_layers),
    )
    outcome = run_trainer(trainer, work, device=device)
    trainer.model.save_pretrained(str(out))
    return outcome


def _columns(row: Encoded) -> dict[str, list[int]]:
    (answer,) = row.answers
    return {
        "input_ids": [*row.prompt, *answer],
        "labels": [LABEL_IGNORED] * len(row.prompt) + list(answer),
    }
