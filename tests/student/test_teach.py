"""Trainings repeat themselves, survive a kill, and stop where they go wrong."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import GateFailedError, PipelineError
from pipeline.storage import file_sha256
from pipeline.student import training
from pipeline.student.adapters import WEIGHTS, read_adapter
from pipeline.student.params import PreferenceParams, TrainingParams
from pipeline.student.teach import Taught, teach_dpo, teach_sft
from pipeline.student.training import TrainingDivergedError
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


@pytest.fixture(scope="module")
def undisturbed(
    base: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Taught, Taught]:
    """Return the folder of a student whose trainings nothing disturbed, and what they said."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, sft(base, folder), dpo(base, folder)


def weights(folder: Path) -> list[str]:
    return [file_sha256(folder / step / WEIGHTS) for step in ("sft", "dpo")]


def test_the_loss_of_the_first_step_goes_down(
    undisturbed: tuple[Path, Taught, Taught],
) -> None:
    steps = undisturbed[1].steps

    assert steps[-1].loss < steps[0].loss - 0.1


def test_the_first_loss_of_the_second_step_is_ln_2(
    undisturbed: tuple[Path, Taught, Taught],
) -> None:
    assert undisturbed[2].steps[0].loss == pytest.approx(math.log(2), abs=1e-3)


def test_the_same_seed_gives_the_same_adapters(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught]
) -> None:
    sft(base, tmp_path)
    dpo(base, tmp_path)

    assert weights(tmp_path) == weights(undisturbed[0])


def test_another_seed_gives_another_adapter(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught]
) -> None:
    sft(base, tmp_path, seed=8)

    assert file_sha256(tmp_path / "sft" / WEIGHTS) != weights(undisturbed[0])[0]


def kill_after(steps: int, train: Callable[[Path, Path], Taught], base: Path, folder: Path) -> None:
    """Train in a process of its own that is killed before step `steps` + 1."""
    child = os.fork()
    if child == 0:
        begun = 0
        begin = training._StepClock.begin

        def counted(clock: training._StepClock) -> None:
            nonlocal begun
            begun += 1
            if begun > steps:
                os.kill(os.getpid(), signal.SIGKILL)
            begin(clock)

        training._StepClock.begin = counted  # type: ignore[method-assign]
        try:
            train(base, folder)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize(("step", "at"), [("sft", 5), ("dpo", 3)])
def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught], step: str, at: int
) -> None:
    if step == "dpo":
        sft(base, tmp_path)
    train = {"sft": sft, "dpo": dpo}[step]
    kill_after(at, train, base, tmp_path)
    assert not (tmp_path / step).exists()

    again = train(base, tmp_path)

    assert again.card["resumed_at_step"] == at - at % 2
    assert file_sha256(tmp_path / step / WEIGHTS) == weights(undisturbed[0])[step == "dpo"]
    whole = undisturbed[1 if step == "sft" else 2].steps
    assert [one.loss for one in again.steps] == [one.loss for one in whole]


def test_a_checkpoint_that_was_cut_off_is_not_used(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught]
) -> None:
    kill_after(5, sft, base, tmp_path)
    last = max(tmp_path.glob("work/*/checkpoint-*"), key=lambda one: one.name)
    (last / "complete").unlink()
    (last / "optimizer.pt").write_bytes(b"half")

    again = sft(base, tmp_path)

    assert again.card["resumed_at_step"] == 2
    assert file_sha256(tmp_path / "sft" / WEIGHTS) == weights(undisturbed[0])[0]


def test_a_changed_setting_starts_anew(base: Path, tmp_path: Path) -> None:
    kill_after(5, sft, base, tmp_path)

    again = sft(base, tmp_path, SFT.model_copy(update={"learning_rate": 2e-2}))

    assert again.card["resumed_at_step"] is None


def test_accumulated_batches_make_the_step_of_one_large_batch(base: Path, tmp_path: Path) -> None:
    wide = TrainingParams(batch_size=4, epochs=1, learning_rate=1e-2)
    thin = wide.model_copy(update={"batch_size": 2, "accumulation": 2})
    rows = examples(4)

    losses = [
        teach_sft(rows, one, base=base, out=tmp_path / "a", seed=1, checkpoints=tmp_path / "w")
        for one in (wide, thin)
    ]

    assert losses[0].steps[0].loss == pytest.approx(losses[1].steps[0].loss, abs=1e-4)


def test_only_the_last_layers_are_trained_where_that_is_asked_for(
    base: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file

    sft(base, tmp_path, SFT.model_copy(update={"top_layers": 1}))

    names = load_file(str(tmp_path / "sft" / WEIGHTS))
    assert names
    assert all(".layers.1." in name for name in names)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_batch(
    base: Path, tmp_path: Path
) -> None:
    mad = SFT.model_copy(update={"learning_rate": 1e38, "schedule": "constant"})

    with pytest.raises(TrainingDivergedError, match=r"step \d+, batch \d+ of 10: .*rows sft-\d+"):
        sft(base, tmp_path, mad)

    assert not (tmp_path / "sft").exists()


def test_what_is_longer_than_the_context_is_rejected_not_cut(base: Path, tmp_path: Path) -> None:
    short = SFT.model_copy(update={"context": 56})

    taught = sft(base, tmp_path, short)

    assert taught.rejections
    assert {one.reason for one in taught.rejections} == {"too_long"}
    assert taught.card["trained_rows"] == 9 - len(taught.rejections)


@pytest.mark.parametrize(
    ("rows", "context", "problem"),
    [([], 512, "the corpus is empty"), (examples(3), 16, r"all 3 rows were rejected \(too_long\)")],
)
def test_nothing_to_train_on_is_said(
    base: Path, tmp_path: Path, rows: list[object], context: int, problem: str
) -> None:
    params = SFT.model_copy(update={"context": context})

    with pytest.raises(GateFailedError, match=problem):
        teach_sft(
            rows,  # type: ignore[arg-type]
            params,
            base=base,
            out=tmp_path / "sft",
            seed=1,
            checkpoints=tmp_path / "work",
        )


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


def test_an_adapter_says_what_it_was_trained_on(
    base: Path, undisturbed: tuple[Path, Taught, Taught]
) -> None:
    folder, _, second = undisturbed

    facts = read_adapter(folder / "dpo")

    assert facts.base == "tiny-0"
    assert facts.parents == (read_adapter(folder / "sft").sha256,)
    assert facts.licence == "Apache-2.0"
    assert second.card["rows"] == 9
    assert second.card["packages"]["torch"]


def test_the_reference_is_asked_once(
    base: Path,
    tmp_path: Path,
    undisturbed: tuple[Path, Taught, Taught],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import pipeline.student.dpo as module

    sft(base, tmp_path)
    asked: list[Callable[..., object]] = []
    plain = module.answer_log_probs
    monkeypatch.setattr(
        module, "answer_log_probs", lambda *given: asked.append(plain) or plain(*given)
    )

    steps = len(dpo(base, tmp_path).steps)

    assert len(asked) == steps + 5  # five batches hold the nine pairs
    assert np.isfinite([one.margin for one in undisturbed[2].steps]).all()
