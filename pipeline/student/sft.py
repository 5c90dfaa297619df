"""The first step: supervised examples, the loss on the answer alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.student.device import choose_device
from pipeline.student.encoding import Encoded
from pipeline.student.log_probs import answer_log_probs, collate
from pipeline.student.params import TrainingParams
from pipeline.student.training import (
    Outcome,
    as_dataset,
    batches_of,
    lora_config,
    make_repeatable,
    run_trainer,
    save_adapter,
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
    from transformers import set_seed
    from trl import SFTConfig, SFTTrainer

    device = choose_device(params.device)
    batches = batches_of(rows, params, seed)
    settings = trainer_settings(params, work, batches=batches, seed=seed, device=device)

    class Trainer(make_repeatable(SFTTrainer, batches, rows)):  # type: ignore[misc]
        def batch_loss(self, model: Any, batch: Any, tokens_of_step: Any) -> Any:
            """Return the mean over the answers' tokens of all batches of the step."""
            counted = len(batch["answer"]) if tokens_of_step is None else tokens_of_step
            return -answer_log_probs(model, batch).sum() / counted

    set_seed(seed)
    trainer = Trainer(
        model=model,
        args=SFTConfig(**settings, packing=False),
        train_dataset=as_dataset(rows),
        data_collator=lambda found: collate([rows[one["row"]] for one in found]),
        processing_class=tokenizer,
        peft_config=lora_config(params, model),
    )
    outcome = run_trainer(trainer, work, device=device)
    save_adapter(trainer, out)
    return outcome
