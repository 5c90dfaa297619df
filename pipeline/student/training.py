"""One step of training, with TRL: repeatable, resumable, and stopped where it goes wrong.

The order of all batches is known before the first one (`order`), dropout and everything else that
is drawn comes from one seed, and a checkpoint holds the adapter, the optimiser, the schedule and
the state of the random generators: a run that was killed ends with the weights of one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.student.checkpoints import COMPLETE, last_checkpoint
from pipeline.student.encoding import Encoded
from pipeline.student.log_probs import count_tokens
from pipeline.student.order import bucketed_batches
from pipeline.student.params import TrainingParams
from pipeline.student.saving import saving


class TrainingDivergedError(PipelineError):
    """The loss or a gradient is no number any more."""


@dataclass(frozen=True)
class StepLog:
    """What one optimiser step measured; margin and accuracy are those of preferences alone.

    `seconds` is the time of the step, `tokens` the tokens it read, padding not counted.
    """

    step: int
    loss: float
    grad_norm: float
    learning_rate: float
    seconds: float
    tokens: int
    margin: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run brought besides the adapter; `resumed_at` is a step, None for a whole run."""

    steps: tuple[StepLog, ...]
    resumed_at: int | None
    device: str


def batches_of(rows: Sequence[Encoded], params: TrainingParams, seed: int) -> list[list[int]]:
    """Return the batches of a run, as places in `rows`."""
    batches = bucketed_batches(
        [row.tokens for row in rows],
        batch_size=params.batch_size,
        epochs=params.epochs,
        seed=seed,
    )
    if params.max_steps is not None:
        batches = batches[: params.max_steps * params.accumulation]
    return batches


def as_dataset(rows: Sequence[Encoded]) -> Any:
    """Return the places of `rows` as the dataset that a trainer wants to hold."""
    from datasets import Dataset

    return Dataset.from_dict({"row": list(range(len(rows)))})


def lora_config(params: TrainingParams, model: Any) -> Any:
    """Return PEFT's settings: every linear layer but the output's, or those of the last layers."""
    from peft import LoraConfig
    from torch.nn import Linear

    layers, top = model.config.num_hidden_layers, params.top_layers
    output = model.get_output_embeddings()
    linear = {
        name.rsplit(".", 1)[-1]
        for name, module in model.named_modules()
        if isinstance(module, Linear) and module is not output
    }
    return LoraConfig(
        r=params.lora_rank,
        lora_alpha=params.lora_alpha,
        lora_dropout=params.lora_dropout,
        target_modules=sorted(linear),
        layers_to_transform=None if top is None else list(range(max(0, layers - top), layers)),
        task_type="CAUSAL_LM",
    )


def trainer_settings(
    params: TrainingParams, work: Path, *, batches: list[list[int]], seed: int, device: str
) -> dict[str, Any]:
    """Return the arguments that both of TRL's trainers get."""
    steps = -(-len(batches) // params.accumulation)
    return {
        "output_dir": str(work),
        "per_device_train_batch_size": params.batch_size,
        "gradient_accumulation_steps": params.accumulation,
        "num_train_epochs": 1,  # the batches of all epochs are one pass
        "learning_rate": params.learning_rate,
        "lr_scheduler_type": params.schedule,
        "warmup_steps": round(params.warmup_share * steps),
        "use_cpu": device == "cpu",
        "bf16": False,  # the frozen weights have their type already
        "fp16": False,
        "gradient_checkpointing": False,
        "max_length": None,  # what is too long was rejected before
        "report_to": "none",
        "seed": seed,
        "data_seed": seed,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": params.checkpoint_steps,
        "save_total_limit": 2,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
        "remove_unused_columns": False,
        "disable_tqdm": True,
    }


def make_repeatable(trainer_class: Any, batches: list[list[int]], rows: Sequence[Encoded]) -> Any:
    """Return `trainer_class` with a fixed order of batches and a stop where a loss is no number."""
    import torch
    from torch.utils.data import DataLoader

    class Repeatable(trainer_class):  # type: ignore[misc]
        batches_seen = 0
        tokens_seen = 0

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset  # encoded already

        def get_train_dataloader(self) -> Any:
            return DataLoader(
                self.train_dataset, batch_sampler=batches, collate_fn=self.data_collator
            )

        def compute_loss(
            self, model: Any, inputs: Any, *_: Any, num_items_in_batch: Any = None
        ) -> Any:
            loss = self.batch_loss(model, inputs, num_items_in_batch)
            if not bool(torch.isfinite(loss.detach())):
                self.stop_at(float(loss.detach()), "loss")
            self.batches_seen += 1
            self.tokens_seen += count_tokens(inputs)
            return loss

        def stop_at(self, value: float, what: str) -> None:
            done = self.state.global_step
            first = done * self.args.gradient_accumulation_steps
            batch = first + self.batches_seen % self.args.gradient_accumulation_steps
            ids = ", ".join(rows[at].row_id for at in batches[min(batch, len(batches) - 1)])
            raise TrainingDivergedError(
                f"step {done + 1}, batch {batch + 1} of {len(batches)}: the {what} is {value}; "
                f"rows {ids}\nThe last good checkpoint is kept. Look at these rows, or lower "
                "learning_rate, and run the stage again."
            )

        def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
            folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
            with saving(f"the checkpoint of step {self.state.global_step}", folder):
                super()._save_checkpoint(*args, **kwargs)
                (folder / COMPLETE).touch()

    return Repeatable


def run_trainer(trainer: Any, work: Path, *, device: str) -> Outcome:
    """Train, from the last whole checkpoint in `work` if there is one."""
    import torch
    from transformers import PrinterCallback, TrainerCallback

    clock = _StepClock()

    class Watch(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            clock.begin()

        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kw: Any) -> None:
            for parameter in kw["model"].parameters():
                if parameter.grad is not None and not bool(torch.isfinite(parameter.grad).all()):
                    trainer.stop_at(float("nan"), "gradient")

        def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            last = state.log_history[-1]
            if "loss" in last:
                last["seconds"] = clock.end()
                last["tokens"], trainer.tokens_seen = trainer.tokens_seen, 0

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Watch())
    checkpoint = last_checkpoint(work)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return Outcome(
        steps=_step_logs(trainer.state.log_history),
        resumed_at=int(checkpoint.name.rsplit("-", 1)[1]) if checkpoint else None,
        device=device,
    )


def save_adapter(trainer: Any, out: Path) -> None:
    """Write what was trained to `out`."""
    # PEFT holds the names of layers as a set, and would write them in another order each time.
    config = trainer.model.peft_config["default"]
    config.target_modules = sorted(config.target_modules)
    with saving("the adapter", out):
        trainer.model.save_pretrained(str(out))


class _StepClock:
    def begin(self) -> None:
        self._started = time.perf_counter()

    def end(self) -> float:
        return round(time.perf_counter() - self._started, 4)


def _step_logs(history: Sequence[dict[str, Any]]) -> tuple[StepLog, ...]:
    return tuple(
        StepLog(
            step=int(entry["step"]),
            loss=float(entry["loss"]),
            grad_norm=float(entry["grad_norm"]),
            learning_rate=float(entry["learning_rate"]),
            seconds=float(entry["seconds"]),
            tokens=int(entry["tokens"]),
            margin=entry.get("rewards/margins"),
            accuracy=entry.get("rewards/accuracies"),
        )
        for entry in history
        if "loss" in entry
    )
