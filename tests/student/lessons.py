"""Short trainings of a tiny model, as several tests run them."""

from __future__ import annotations

from pathlib import Path

from pipeline.storage import file_sha256
from pipeline.student.adapters import WEIGHTS
from pipeline.student.params import PreferenceParams, TrainingParams
from pipeline.student.teach import Taught, teach_dpo, teach_sft
from tests.tiny import examples, pairs

FAST = {"batch_size": 2, "learning_rate": 5e-2, "epochs": 2, "checkpoint_steps": 2}
SFT = TrainingParams(**FAST, lora_dropout=0.1, schedule="linear", warmup_share=0.2)
DPO = PreferenceParams(**FAST, lora_dropout=0.1)


def sft(base: Path, folder: Path, params: TrainingParams = SFT, seed: int = 7) -> Taught:
    return teach_sft(
        examples(9), params, base=base, out=folder / "sft", seed=seed, checkpoints=folder / "work"
    )


def dpo(base: Path, folder: Path, params: PreferenceParams = DPO, seed: int = 7) -> Taught:
    return teach_dpo(
        pairs(9),
        params,
        base=base,
        parents=(folder / "sft",),
        out=folder / "dpo",
        seed=seed,
        checkpoints=folder / "work",
    )


def weights(folder: Path) -> list[str]:
    return [file_sha256(folder / step / WEIGHTS) for step in ("sft", "dpo")]
