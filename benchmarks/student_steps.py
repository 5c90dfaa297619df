"""Claim: a training step takes at most 1.05 (SFT) and 0.85 (DPO) of a plain TRL script's time.

Same rows in the same batches, 3 epochs, checkpoints saved at the same steps, the reference pass
counted, losses equal within 1e-3. A Llama of 6 layers and 49,152 words, so that the shares of
layers and vocabulary are about those of the 135M base; prompts are as long as ours are. Peak
memory is that of the process; the rival runs in a process of its own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import Measurement, in_process, peak_mib, stopwatch

ROWS, EPOCHS, BATCH = 16, 3, 4
TOLERANCE = 1e-3
WORDS = 49_152


def run() -> list[Measurement]:
    """Measure both steps, ours and theirs, one after the other in fresh processes."""
    measurements = []
    for step in ("sft", "dpo"):
        ours = in_process("benchmarks.student_steps", "train", step, "ours")
        theirs = in_process("benchmarks.student_steps", "train", step, "plain")
        apart = max(abs(a - b) for a, b in zip(ours["losses"], theirs["losses"], strict=True))
        if not apart <= TOLERANCE:
            raise AssertionError(f"{step}: losses differ by {apart:.2g}")
        measurements.append(
            Measurement(
                f"student_{step}_step",
                ours["seconds"] / len(ours["losses"]),
                "s",
                rival="plain TRL script",
                ratio=ours["seconds"] / theirs["seconds"],
                rows=ROWS * EPOCHS,
                peak_mib=ours["peak_mib"],
            )
        )
        measurements.append(Measurement(f"student_{step}_loss_difference", apart, "nats"))
    return measurements


def train(step: str, whose: str) -> dict[str, Any]:
    """Train and return seconds, losses and peak memory; imports and loading are not counted."""
    import torch
    import trl

    torch.set_num_threads(1)
    rows, model, tokenizer = _rows(step), _model(), _tokenizer()
    trainer = getattr(trl, "SFTTrainer" if step == "sft" else "DPOTrainer")  # imported before
    with tempfile.TemporaryDirectory() as scratch, stopwatch() as seconds:
        if whose == "ours":
            losses = _ours(step, model, tokenizer, rows, Path(scratch))
        else:
            losses = _plain(trainer, step, model, tokenizer, rows, Path(scratch))
        spent = seconds()
    return {"seconds": spent, "losses": losses, "peak_mib": peak_mib()}


def _ours(step: str, model: Any, tokenizer: Any, rows: Any, scratch: Path) -> list[float]:
    from pipeline.student.dpo import train_dpo
    from pipeline.student.params import PreferenceParams, TrainingParams
    from pipeline.student.sft import train_sft

    work, out = scratch / "work", scratch / "out"
    shared: dict[str, Any] = {"batch_size": BATCH, "epochs": EPOCHS, "learning_rate": 1e-4}
    if step == "sft":
        done = train_sft(
            model, tokenizer, rows, TrainingParams(**shared), work=work, out=out, seed=1
        )
    else:
        done = train_dpo(
            model, tokenizer, rows, PreferenceParams(**shared), work=work, out=out, seed=1
        )
    return [one.loss for one in done.steps]


def _plain(
    trainer_class: Any, step: str, model: Any, tokenizer: Any, rows: Any, scratch: Path
) -> list[float]:
    """Train as TRL's documentation does, in our order of batches."""
    import torch
    from datasets import Dataset
    from transformers import set_seed
    from trl import DPOConfig, SFTConfig

    from pipeline.student.params import TrainingParams
    from pipeline.student.training import batches_of, lora_config

    params = TrainingParams(batch_size=BATCH, epochs=EPOCHS, learning_rate=1e-4)
    batches = batches_of(rows, params, 1)

    class Ordered(trainer_class):  # type: ignore[misc]
        def get_train_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(
                self.train_dataset, batch_sampler=batches, collate_fn=self.data_collator
            )

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    settings: dict[str, Any] = {
        "output_dir": str(scratch),
        "per_device_train_batch_size": BATCH,
        "num_train_epochs": 1,
        "learning_rate": 1e-4,
        "lr_scheduler_type": "constant",
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "max_length": None,
        "report_to": "none",
        "seed": 1,
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": 10,
        "save_total_limit": 2,
        "disable_tqdm": True,
    }
    config = SFTConfig(**settings) if step == "sft" else DPOConfig(**settings, beta=0.1)
    set_seed(1)
    trainer = Ordered(
        model=model,
        args=config,
        train_dataset=Dataset.from_list([_columns(row) for row in rows]),
        processing_class=tokenizer,
        peft_config=lora_config(params, model),
    )
    trainer.train()
    return [float(one["loss"]) for one in trainer.state.log_history if "loss" in one]


def _columns(row: Any) -> dict[str, list[int]]:
    if len(row.answers) == 1:
        (answer,) = row.answers
        return {
            "input_ids": [*row.prompt, *answer],
            "labels": [-100] * len(row.prompt) + list(answer),
        }
    chosen, rejected = row.answers
    return {
        "prompt_ids": list(row.prompt),
        "chosen_ids": list(chosen),
        "rejected_ids": list(rejected),
    }


def _rows(step: str) -> list[Any]:
    """Return rows as long as ours: prompts of about 225 tokens, answers of 54 and 32."""
    import numpy as np

    from pipeline.student.encoding import Encoded

    draw = np.random.default_rng(0)

    def words(mean: int) -> tuple[int, ...]:
        size = int(draw.integers(round(0.7 * mean), round(1.3 * mean)))
        return tuple(draw.integers(100, WORDS, size).tolist())

    return [
        Encoded(f"row-{at}", words(225), (words(54),) if step == "sft" else (words(54), words(32)))
        for at in range(ROWS)
    ]


def _model() -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=WORDS,
            hidden_size=576,
            intermediate_size=1536,
            num_hidden_layers=6,
            num_attention_heads=9,
            num_key_value_heads=3,
            tie_word_embeddings=True,
            pad_token_id=2,
            bos_token_id=1,
            eos_token_id=2,
        )
    )


def _tokenizer() -> Any:
    """Return a tokenizer that is only asked for its padding."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(models.WordLevel({"<unk>": 0, "<s>": 1, "</s>": 2}, unk_token="<unk>"))
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=plain, unk_token="<unk>", eos_token="</s>", pad_token="</s>")
