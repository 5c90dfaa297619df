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
from pipeline.progress import track
from pipeline.storage import AtomicFile, file_sha256, read_json, write_json
from pipeline.student.device import choose_device
from pipeline.student.encoding import Encoded
from pipeline.student.log_probs import answer_log_probs, collate
from pipeline.student.params import PreferenceParams
from pipeline.student.saving import saving
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
    import torch
    from transformers import set_seed
    from trl import DPOConfig, DPOTrainer

    device = choose_device(params.device)
    batches = batches_of(rows, params, seed)
    settings = trainer_settings(params, work, batches=batches, seed=seed, device=device)
    reference = torch.tensor(
        _reference(model.to(device), rows, batches, work / REFERENCE), device=device
    )

    class Trainer(make_repeatable(DPOTrainer, batches, rows)):  # type: ignore[misc]
        def batch_loss(self, model: Any, batch: Any, _: Any) -> Any:
            """Return the mean over the pairs, and note what their rewards are."""
            chosen, rejected = answer_log_probs(model, batch).chunk(2)
            before = reference[:, batch["row"]]
            margins = params.beta * ((chosen - before[0]) - (rejected - before[1]))
            metrics = self._metrics["train"]
            metrics["rewards/margins"].append(float(margins.detach().mean()))
            metrics["rewards/accuracies"].append(float((margins.detach() > 0).float().mean()))
            return -torch.nn.functional.logsigmoid(margins).mean()

    set_seed(seed)
    trainer = Trainer(
        model=model,
        args=DPOConfig(**settings, beta=params.beta, loss_type="sigmoid"),
        train_dataset=as_dataset(rows),
        data_collator=lambda found: _collate(rows, [one["row"] for one in found]),
        processing_class=tokenizer,
        peft_config=lora_config(params, model),
    )
    outcome = run_trainer(trainer, work, device=device)
    first = outcome.steps[0].loss
    if abs(first - math.log(2)) > LN2_TOLERANCE:
        raise PipelineError(
            f"the first loss is {first:.5f}, not ln 2: policy and reference differ at the start\n"
            f"Remove {work} and run the stage again; if it comes back, please report it."
        )
    save_adapter(trainer, out)
    return outcome


def _collate(rows: Sequence[Encoded], places: list[int]) -> dict[str, Any]:
    import torch

    return {**collate([rows[at] for at in places]), "row": torch.tensor(places)}


def _reference(
    model: Any, rows: Sequence[Encoded], batches: Sequence[list[int]], kept: Path
) -> Any:
    """Return the reference's log-probabilities: an array (chosen or rejected, row).

    They are computed in the batches that first hold a row, so that padding, and with it rounding,
    is that of the first steps. A row that no batch holds stays 0 and is never read.
    """
    import torch

    if (known := _read_reference(kept, (2, len(rows)))) is not None:
        return known
    values = np.zeros((2, len(rows)), dtype=np.float32)
    missing = set(range(len(rows)))
    model.eval()
    for batch in track(batches, "asking the reference", total=len(batches)):
        if missing.isdisjoint(batch):
            continue
        missing.difference_update(batch)
        inputs = {name: one.to(model.device) for name, one in _collate(rows, batch).items()}
        with torch.no_grad():
            found = answer_log_probs(model, inputs)
        values[:, batch] = found.reshape(2, -1).cpu().numpy()
    with saving("what the reference says", kept):
        _keep_reference(kept, values)
    return values


def _keep_reference(kept: Path, values: Any) -> None:
    with AtomicFile(kept) as part, part.open("wb") as stream:
        np.save(stream, values, allow_pickle=False)
    write_json(kept.with_suffix(".json"), {"sha256": file_sha256(kept)})


def _read_reference(kept: Path, shape: tuple[int, ...]) -> Any:
    """Return what an earlier run kept; None, and it is asked again, if that is not whole.

    The file is not opened as an array unless its hash is the one that was written beside it.
    """
    try:
        if read_json(kept.with_suffix(".json")) != {"sha256": file_sha256(kept)}:
            return None
    except PipelineError:  # one of the two is gone, or is no file that was written here
        return None
    values = np.load(kept, allow_pickle=False)
    fits = values.shape == shape and values.dtype == np.float32 and np.isfinite(values).all()
    return values if fits else None
