"""What stops a training: nothing to learn from, a loss that is no number, a full disk."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import GateFailedError, PipelineError
from pipeline.records import PreferencePair, SFTExample
from pipeline.storage import file_sha256
from pipeline.student.adapters import WEIGHTS
from pipeline.student.teach import Taught, teach_dpo, teach_sft
from pipeline.student.training import TrainingDivergedError
from tests.student.lessons import DPO, SFT, dpo, sft, weights
from tests.tiny import examples, pairs


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_batch(
    base: Path, tmp_path: Path
) -> None:
    mad = SFT.model_copy(update={"learning_rate": 1e38, "schedule": "constant"})

    with pytest.raises(TrainingDivergedError, match=r"step \d+, batch \d+ of 10: .*rows sft-\d+"):
        sft(base, tmp_path, mad)

    assert not (tmp_path / "sft").exists()


@pytest.mark.parametrize("step", ["sft", "dpo"])
def test_the_checkpoint_before_a_loss_that_is_no_number_is_kept_and_gone_on_from(
    base: Path,
    tmp_path: Path,
    undisturbed: tuple[Path, Taught, Taught],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    import pipeline.student as package

    if step == "dpo":
        sft(base, tmp_path)
    train = {"sft": sft, "dpo": dpo}[step]
    module = getattr(package, step)
    plain, asked = module.answer_log_probs, 0

    def broken(model: Any, batch: Any) -> Any:
        nonlocal asked
        found = plain(model, batch)
        asked += found.requires_grad
        return found * math.nan if asked == 4 else found

    with monkeypatch.context() as patch:
        patch.setattr(module, "answer_log_probs", broken)
        with pytest.raises(TrainingDivergedError, match="step 4, batch 4 of 10: the loss is nan"):
            train(base, tmp_path)

    assert train(base, tmp_path).card["resumed_at_step"] == 2
    assert file_sha256(tmp_path / step / WEIGHTS) == weights(undisturbed[0])[step == "dpo"]


def test_what_is_longer_than_the_context_is_rejected_not_cut(base: Path, tmp_path: Path) -> None:
    short = SFT.model_copy(update={"context": 56})

    taught = sft(base, tmp_path, short)

    assert taught.rejections
    assert {one.reason for one in taught.rejections} == {"too_long"}
    assert taught.card["trained_rows"] == 9 - len(taught.rejections)


@pytest.mark.parametrize(
    ("rows", "context", "problem"),
    [
        ([], 512, "the corpus is empty"),
        (examples(3), 16, r"all 3 rows .* \(too_long\), as \S+-0: \d+ tokens, context 16"),
    ],
)
def test_nothing_to_train_on_is_said(
    base: Path, tmp_path: Path, rows: list[SFTExample], context: int, problem: str
) -> None:
    params = SFT.model_copy(update={"context": context})

    with pytest.raises(GateFailedError, match=problem):
        teach_sft(
            rows, params, base=base, out=tmp_path / "sft", seed=1, checkpoints=tmp_path / "work"
        )


@pytest.mark.parametrize(
    ("rows", "context", "problem"),
    [
        ([], 512, "the corpus is empty"),
        (pairs(3), 16, r"all 3 rows .* \(too_long\), as \S+-0: \d+ tokens, context 16"),
    ],
)
def test_no_pair_to_train_on_is_said(
    base: Path,
    tmp_path: Path,
    undisturbed: tuple[Path, Taught, Taught],
    rows: list[PreferencePair],
    context: int,
    problem: str,
) -> None:
    params = DPO.model_copy(update={"context": context})

    with pytest.raises(GateFailedError, match=problem):
        teach_dpo(
            rows,
            params,
            base=base,
            parents=(undisturbed[0] / "sft",),
            out=tmp_path / "dpo",
            seed=1,
            checkpoints=tmp_path / "work",
        )
    assert not (tmp_path / "dpo").exists()


def test_a_full_disk_is_said_and_the_last_checkpoint_is_kept(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import Trainer

    save = Trainer._save_checkpoint

    def full(self: Trainer, model: object, trial: object) -> None:
        if self.state.global_step > 2:
            raise OSError(28, "No space left on device")
        save(self, model, trial)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save_checkpoint", full)
        with pytest.raises(PipelineError, match=r"step 4 cannot be written \(No space left"):
            sft(base, tmp_path)

    assert sft(base, tmp_path).card["resumed_at_step"] == 2
